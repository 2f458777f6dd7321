"""The report of a run: what to show (contents, lists), how to draw it (charts), and the page around it (page)."""
