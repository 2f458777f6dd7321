"""Decisions on scored pairs; pure, imports neither neo4j nor torch nor dgl."""
