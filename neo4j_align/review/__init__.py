"""Review in the browser: `desk.py` knows pairs and verdicts, `app.py` shows them, `guard.py` refuses strangers."""
