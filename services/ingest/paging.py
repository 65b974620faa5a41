"""Pages of answers: their size, and where one starts."""

from services.ingest import domain


def page_size(asked: int) -> int:
    if not 0 <= asked <= 1000:
        raise domain.BadSubmission(f"page_size {asked} must be 1 to 1000, or 0 for 100")
    return asked or 100


def page_start(token: str) -> int:
    if token and not (token.isascii() and token.isdigit() and len(token) < 19):
        raise domain.BadSubmission("page_token is none of this service; pass next_page_token as it was given")
    return int(token or 0)
