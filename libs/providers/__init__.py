"""Rows as their providers publish them: re-entry messages, decays and catalogues, read strictly."""
