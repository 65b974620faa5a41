from infra.local.testing import *  # noqa: F403  fixtures of every test
