"""A misspelt setting is noticed, an ordinary variable is not."""

from hypothesis import given
from hypothesis import strategies as st

from arbees.settings import all_sections
from arbees.settings.catalog import Catalog
from arbees.settings.sources.spelling import (
    edits,
    misspelt,
    nearest,
    question,
)

KNOWN = Catalog(all_sections()).ordered

ORDINARY = """
PATH HOME USER LOGNAME SHELL TERM LANG LC_ALL LC_CTYPE PWD OLDPWD SHLVL TMPDIR TMP TEMP TZ EDITOR
VISUAL PAGER DISPLAY HOSTNAME HOST HOSTTYPE MAIL MANPATH LESS LESSOPEN COLORTERM COLUMNS LINES _
XDG_RUNTIME_DIR XDG_SESSION_ID XDG_DATA_HOME SSH_AUTH_SOCK SSH_CLIENT SSH_CONNECTION SSH_TTY
DBUS_SESSION_BUS_ADDRESS GPG_TTY SUDO_USER SUDO_UID SUDO_COMMAND INVOCATION_ID JOURNAL_STREAM
NOTIFY_SOCKET LISTEN_FDS LISTEN_PID MAINPID WATCHDOG_USEC CREDENTIALS_DIRECTORY STATE_DIRECTORY
LOGS_DIRECTORY RUNTIME_DIRECTORY CONFIGURATION_DIRECTORY CACHE_DIRECTORY SYSTEMD_EXEC_PID
VIRTUAL_ENV PYTHONPATH PYTHONHOME PYTHONUNBUFFERED PYTHONDONTWRITEBYTECODE PYTHON_VERSION
PIP_INDEX_URL UV_CACHE_DIR CONDA_PREFIX PYENV_ROOT NODE_ENV NODE_VERSION NPM_CONFIG_PREFIX
HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy CURL_CA_BUNDLE
SSL_CERT_FILE REQUESTS_CA_BUNDLE DEBIAN_FRONTEND CI GITHUB_ACTIONS GITHUB_TOKEN GITHUB_ENV
GITHUB_PATH RUNNER_TEMP RUNNER_OS CARGO_HOME RUSTUP_HOME GOPATH GOROOT JAVA_HOME MAKEFLAGS
MAKELEVEL MFLAGS PORT HOST_PORT HTTPS_PORT HTTPS_HOST DATABASE_URL DATABASE_HOST REDIS_HOST
REDIS_PORT REDIS_PASSWORD REDIS_DB AWS_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
AWS_PROFILE GOOGLE_APPLICATION_CREDENTIALS KUBERNETES_SERVICE_HOST KUBERNETES_SERVICE_PORT
KUBERNETES_PORT_443_TCP ARBEES_SERVICE_HOST ARBEES_SERVICE_PORT ARBEES_PORT
ARBEES_PORT_8321_TCP ARBEES_DATA_DIR OTEL_SERVICE_NAME OTEL_EXPORTER_OTLP_ENDPOINT SENTRY_DSN
APP_ENV ENV STAGE DEBUG VERBOSE COMPOSE_PROJECT_NAME DOCKER_HOST container LS_COLORS NLSPATH
FORCE_COLOR NO_COLOR CLICOLOR COVERAGE_FILE PYTEST_CURRENT_TEST PYTEST_XDIST_WORKER HYPOTHESIS
KALSHI_EMAIL KALSHI_PASSWORD KALSHI_ENV POLYMARKET_API_KEY POLYMARKET_API_SECRET
"""


def slow_edits(left: str, right: str) -> int:
    """Count edits by the recursive definition."""
    if not left or not right:
        return len(left) + len(right)
    ways = [
        slow_edits(left[1:], right) + 1,
        slow_edits(left, right[1:]) + 1,
        slow_edits(left[1:], right[1:]) + (left[0] != right[0]),
    ]
    if len(left) > 1 and len(right) > 1 and left[0] == right[1] and left[1] == right[0]:
        ways.append(slow_edits(left[2:], right[2:]) + 1)
    return min(ways)


@given(st.text("AB_", max_size=6), st.text("AB_", max_size=6), st.integers(0, 3))
def test_edits_equal_the_definition(left: str, right: str, most: int) -> None:
    """The bounded count is the definition's, cut at one more than the bound."""
    assert edits(left, right, most) == min(slow_edits(left, right), most + 1)


def test_ordinary_variables_are_left_alone() -> None:
    """What a process commonly finds in its environment is no misspelt setting."""
    assert [name for name in ORDINARY.split() if misspelt(name, KNOWN)] == []


def test_known_names_are_not_misspelt() -> None:
    """A setting's own name is right, though another's lies one letter away."""
    assert [name for name in KNOWN if misspelt(name, KNOWN)] == []


def test_nearest_names_all_that_are_equally_close() -> None:
    """Where two settings are equally close, both are named."""
    assert nearest("MIX_SAFE_PRICE", KNOWN) == ("MAX_SAFE_PRICE", "MIN_SAFE_PRICE")
    assert question(("A", "B")) == "Did you mean A or B?"
    assert nearest("MAX_ORDER_SIZES", KNOWN) == ("MAX_ORDER_SIZE",)


def test_two_edits_count_in_long_names_only() -> None:
    """Two letters wrong are a misspelling of a long name, not of a short one."""
    assert nearest("MAX_ORDERS_PR_HUOR", KNOWN) == ("MAX_ORDERS_PER_HOUR",)
    assert nearest("ACCNT", KNOWN) == ()
    assert nearest("", KNOWN) == ()


def test_prefix_of_ours_is_seen_through() -> None:
    """`ARBEES_` in front of a setting, even of a misspelt one, is noticed."""
    assert nearest("ARBEES_MAX_DAILY_LOSS", KNOWN) == ("MAX_DAILY_LOSS",)
    assert nearest("ARBEES_MAX_DAILY_LOS", KNOWN) == ("MAX_DAILY_LOSS",)
    assert nearest("ARBEES_UTL", KNOWN) == ("ARBEES_URL",)
