"""Records of JSON and CSV, each read on its own: a typed value, or its refusal with the place and the raw text."""
