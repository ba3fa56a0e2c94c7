"""No secret leaves this machine in what is written to be shared, and what is no secret stays readable."""

from __future__ import annotations

from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from diagtools import redact
from diagtools.redact import (
    MASK,
    mask_private_keys,
    redact_argv,
    redact_begin,
    redact_env,
    redact_folder,
    redact_path,
    redact_text,
)

SECRET = "hunter2Sesame"
SECRET_VARIABLES = (
    "PYTHON_API_TOKEN",
    "PYTHONAPITOKEN",
    "OMP_PASSWORD",
    "OMP_PW",
    "POLARS_CLOUD_KEY",
    "ARROW_CREDS",
    "ARROW_SIG",
    "MALLOC_SECRET",
    "LC_AUTH",
)


@pytest.mark.parametrize(
    "text",
    [
        f"password={SECRET}",
        f"DB_PASSWORD = {SECRET}",
        f"dbpassword={SECRET}",
        f"--api-key={SECRET}",
        f"AWS_SECRET_ACCESS_KEY={SECRET} next",
        f"hub.auth.token: {SECRET}",
        f"accessToken={SECRET}",
        f"authtoken={SECRET}",
        f"x=token={SECRET}",
        f"note: token={SECRET}",
        f"GET /login?user=ada&session_id={SECRET}&page=2",
        f'{{"token": "{SECRET}", "n": 1}}',
        f"{{'token': '{SECRET} with, spaces; and & more'}}",
        f'{{\\"token\\": \\"{SECRET}\\"}}',
        f'{{"token": "{SECRET}',
        f"token=b'{SECRET}'",
        f"api_key=SecretStr('{SECRET}')",
        f"Authorization: Bearer {SECRET}",
        f"authorization: basic {SECRET}",
        f"curl -H 'Authorization: Token {SECRET}'",
        f"postgres://ada:{SECRET}@db/prod",
        f"postgres://ada:p@{SECRET}@db/prod",
        f"postgres://ada:p/{SECRET}@db/prod",
        f"postgres://ada:12/{SECRET}x@y{SECRET}@db:5432/prod".replace(":12/", ":1a/"),
        f"password: correct {SECRET} battery",
        f"  db_passphrase: correct horse, {SECRET}; staple",
        f"Cookie: a=b; c={SECRET}",
        f"Authorization: Digest username=ada, response={SECRET}",
        f"curl -u ada:{SECRET} https://example.org",
        f"curl --user 'ada:{SECRET}' https://example.org",
        f"['curl', '-u', 'ada:{SECRET}']",
        f"https://x:{SECRET}@example.org/repo.git",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}",
        f"bash -c 'mysql --password {SECRET} db'",
        f"run -password {SECRET}",
        f"--db-password '{SECRET} and; more' x",
        f"--password a,b;{SECRET}",
        f"--password \\\n  {SECRET}",
        f"Command '['app', '--password', '{SECRET}']' returned non-zero exit status 1.",
        f'["--token","{SECRET}"]',
        f'{{"cmd": "app --token \\"{SECRET} x\\""}}',
        f"mysql -uroot -p{SECRET} db",
        f"/usr/bin/mysqldump -p'{SECRET} x' db | gzip",
        f"docker exec db mariadb-dump -p{SECRET}",
        f"['mysql', '-p{SECRET}']",
        f"https://acme.blob.core.windows.net/c/b?sv=2022-11-02&sig={SECRET}%3D&se=2026",
        f"DefaultEndpointsProtocol=https;AccountName=x;AccountKey={SECRET}==;EndpointSuffix=y",
        f"SharedAccessKeyName=root;SharedAccessKey={SECRET}=",
        f"SharedAccessSignature={SECRET}",
        f"OPENAI_KEY={SECRET}",
        f"AZURE_STORAGE_KEY: {SECRET}",
        f"MASTER_KEY='{SECRET}'",
        f"signing_key={SECRET}",
        f"encryption_key = b'{SECRET}'",
        f'{{"license_key": "{SECRET}"}}',
        f"signingKey={SECRET}",
        f"pw={SECRET}",
        f"db_pw: {SECRET}",
        f"userpass={SECRET}",
        f"passcode={SECRET}",
        f"apitoken={SECRET}",
        f"The password is {SECRET}.",
        f"Password was '{SECRET}'",
        f"docker login -u ada -p {SECRET} registry.example.org",
        f"['docker', 'login', '-p', '{SECRET}']",
        f"sshpass -p {SECRET} ssh db",
        f"sshpass -p'{SECRET} x' ssh db",
        f"mkdir -p sshpass -p {SECRET}",
        f"redis-cli -h db -a {SECRET} ping",
        f"app --key {SECRET}",
        f"app --api-key {SECRET}",
    ],
)
def test_a_secret_is_masked(text: str) -> None:
    shown = redact_text(text)
    assert SECRET not in shown
    assert MASK in shown


@pytest.mark.parametrize(
    "token",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF123",
        "AKIA" + "ABCDEFGH12345678",
        "ghp_" + "a1B2" * 9,
        "github_pat_" + "a1B2" * 9,
        "glpat-" + "a1B2" * 5,
        "xoxb-" + "1234567890-abc",
        "sk-" + "a1B2" * 8,
        "hf_" + "aBcD" * 8,
        "npm_" + "aBcD" * 9,
        "AIza" + "aBcD" * 9,
        "https://hooks.slack.com/services/T00000000/B00000000/" + "aBcD" * 6,
        "xapp-1-" + "A0123-456-abc",
        "SG." + "aB1-" * 5 + "." + "aB1_" * 10,
        "ya29." + "aB1-" * 9,
        "dckr_pat_" + "aB1-" * 6,
    ],
)
def test_a_token_is_known_by_its_own_form(token: str) -> None:
    assert redact_text(f"using {token} now") == f"using {MASK} now"


@pytest.mark.parametrize(
    "text",
    [
        "n_tokens=256 max_tokens: 1024",
        "token: 5 of 9",
        "token embeddings loaded",
        "basic training of the model",
        "the password is not shown",
        "Function 'k' too large, using fixed chunking",
        "author=ada compass=north passed=12",
        "http://127.0.0.1:8888/lab",
        "see https://example.org/a:b@c",
        "http://localhost:8080/x?mail=ada@example.org",
        "docker run -u 1000:1000 image",
        "C:\\data\\x and /homestead/x",
        "peak 1.95 GiB at 22.4 s",
        "src/auth/token.py:12: in load",
        "--token is required",
        "use --token or --password to log in",
        "the following arguments are required: --token, --user",
        "--token --verbose x",
        "--max-tokens 256",
        "python -pfoo and -p 8080",
        "mysql --version && python -pfoo",
        "docker run --name mysql -p3306:3306 image",
        "primary_key=id sort_key=name key=value cache_key=3 CACHE_KEY=3 monkey=hunter2Sesame",
        "for key: value in sorted(rows, key=operator.itemgetter(1))",
        "sig=0.05 --key value",
        "the password is 8 characters long, yours was not",
        "docker run -p 80:80 image and python -p x",
        "docker login && docker run -p 80:80 image",
        "sshpass -p [redacted] ssh -p 2222 db",
        "mysql -uroot -P3306 --protocol=tcp",
        "/usr/lib/x86_64-linux-gnu/libc.so.6 and https://example.org/site-packages/a.py",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/ada/project/a.py", "~/project/a.py"),
        ("at /Users/ada/x and /home/bob", "at ~/x and ~"),
        ("C:\\Users\\ada\\x", "~\\x"),
        ("/root/.cache", "~/.cache"),
        ("/rooted/x", "/rooted/x"),
        ("backup/home/ada", "backup/home/ada"),
        ("\x1b[32m/home/ada/x and \x1b[1;32m/root/y", "\x1b[32m~/x and \x1b[1;32m~/y"),
    ],
)
def test_home_folders_are_not_named(text: str, shown: str) -> None:
    assert redact_text(text) == shown
    assert redact_path(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/opt/venv/lib/python3.11/site-packages/pl/a.py:12, in f", "pl/a.py:12, in f"),
        ('File "/usr/lib/python3/dist-packages/pl/a.py"', 'File "pl/a.py"'),
        ("/usr/lib/python3.13t/asyncio/base.py", "asyncio/base.py"),
        ("~/.venv/lib/python3.12/site-packages/pl/a.py", "pl/a.py"),
        ("\x1b[0;32m/opt/v/lib/python3.11/site-packages/pl/a.py\x1b[0m", "\x1b[0;32mpl/a.py\x1b[0m"),
        (f"at {Path(redact.__file__)}:3", "at diagtools/redact.py:3"),
        (f"\x1b[32m{Path(redact.__file__)}\x1b[0m", "\x1b[32mdiagtools/redact.py\x1b[0m"),
        ("site-packages/pl/a.py", "site-packages/pl/a.py"),
    ],
)
def test_packages_are_named_from_their_own_folder_on(text: str, shown: str) -> None:
    assert redact_text(text) == shown
    assert redact_text(shown) == shown


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/srv/acme/plan/app", "…/plan/app"),
        ("/srv/acme/", "/srv/acme/"),
        ("/home/ada/a/b/c", "~/a/b/c"),
        ("a/b/c/d", "a/b/c/d"),
    ],
)
def test_folders_outside_homes_keep_two_names(path: str, shown: str) -> None:
    assert redact_folder(path) == shown
    assert redact_folder(shown) == shown


def test_the_home_of_this_user_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/srv/people/ada")
    assert redact_path(Path("/srv/people/ada/x")) == "~/x"
    assert redact_text("in /srv/people/ada, or /srv/people/adam") == "in ~, or /srv/people/adam"


def test_a_system_without_homes_keeps_its_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/")
    assert redact_path("/data/x") == "/data/x"


@pytest.mark.parametrize(
    ("argv", "shown"),
    [
        (("app", "--token", SECRET, "x"), ("app", "--token", MASK, "x")),
        (("app", "--db-password", SECRET), ("app", "--db-password", MASK)),
        (("app", f"--token={SECRET}", "x"), ("app", f"--token={MASK}", "x")),
        (("app", "--token", "--verbose", "x"), ("app", "--token", "--verbose", "x")),
        (("app", "--n-tokens", "256"), ("app", "--n-tokens", "256")),
        (("app", "token", "x"), ("app", "token", "x")),
        (("bash", "-c", f"app --password {SECRET}"), ("bash", "-c", f"app --password {MASK}")),
        (
            ("docker", "exec", "db", "/bin/mysql", f"-p{SECRET}"),
            ("docker", "exec", "db", "/bin/mysql", f"-p{MASK}"),
        ),
        (("python", "-pfoo", "-p", "8080"), ("python", "-pfoo", "-p", "8080")),
        (("curl", "-u", f"ada:{SECRET}", "x"), ("curl", "-u", f"ada:{MASK}", "x")),
        (("/usr/bin/curl", f"-uada:{SECRET}"), ("/usr/bin/curl", f"-uada:{MASK}")),
        (("docker", "-u", "1:2"), ("docker", "-u", "1:2")),
        (("docker", "login", "-p", SECRET, "x"), ("docker", "login", "-p", MASK, "x")),
        (("docker", "--debug", "login", f"-p{SECRET}"), ("docker", "--debug", "login", f"-p{MASK}")),
        (("docker", "run", "-p", "80:80", "x"), ("docker", "run", "-p", "80:80", "x")),
        (
            ("/usr/bin/sshpass", "-p", SECRET, "ssh", "-p", "22"),
            ("/usr/bin/sshpass", "-p", MASK, "ssh", "-p", "22"),
        ),
        (("sshpass", f"-p{SECRET}", "ssh"), ("sshpass", f"-p{MASK}", "ssh")),
        (("redis-cli", "-a", SECRET), ("redis-cli", "-a", MASK)),
        (("redis-cli", "-a"), ("redis-cli", "-a")),
        (("app", "--key", SECRET), ("app", "--key", MASK)),
        (("app", "--key", "value"), ("app", "--key", "value")),
        (("app", "--api-key", SECRET), ("app", "--api-key", MASK)),
        (("/home/ada/bin/app", f"u://a:{SECRET}@h"), ("~/bin/app", f"u://{MASK}@h")),
        ((), ()),
    ],
)
def test_command_lines(argv: tuple[str, ...], shown: tuple[str, ...]) -> None:
    assert redact_argv(argv) == shown


def test_of_the_environment_only_what_matters_to_memory_is_kept() -> None:
    env = {
        "MALLOC_ARENA_MAX": "2",
        "PYTHONPATH": "/home/ada/x",
        "AWS_REGION": "x",
        "PYTHONSTARTUP": "x",
        "LANG": "C",
    }
    assert redact_env(env) == {"LANG": "C", "MALLOC_ARENA_MAX": "2", "PYTHONPATH": "~/x"}


def test_a_variable_that_sounds_secret_is_left_out() -> None:
    """However its name is written, and whichever of the kept groups it would belong to."""
    assert redact_env(dict.fromkeys(SECRET_VARIABLES, SECRET)) == {}


@pytest.mark.parametrize("name", SECRET_VARIABLES)
def test_text_masks_what_the_environment_leaves_out(name: str) -> None:
    assert redact_text(f"{name}={SECRET}") == f"{name}={MASK}"


def test_a_password_of_digits_is_no_count() -> None:
    assert redact_text("password=1234567 passwd: 42 pwd=7") == f"password={MASK} passwd: {MASK}"
    assert redact_text("DB_PWD=7 n") == f"DB_PWD={MASK} n"


@given(st.text(max_size=200))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = redact_text(text)
    assert redact_text(once) == once


@given(
    st.sampled_from(["password", "API_KEY", "x-auth-token", "client_secret", "refreshToken"]),
    st.sampled_from(["=", ": ", " = ", '": "']),
    st.text(st.characters(categories=["Lu", "Ll", "Nd"], codec="ascii"), min_size=9),
    st.text(" ,;&\n", max_size=3),
)
def test_whatever_is_assigned_to_a_secret_name_is_masked(
    name: str, sign: str, value: str, after: str
) -> None:
    shown = redact_text(f"{name}{sign}{value}{after}")
    assert value not in shown.replace(name, "").replace(MASK, "")


@pytest.mark.parametrize(
    "unit",
    [
        *"a. a- a_ a token- _.token aToken eyJ -eyJ a+ a:// b: /home/ token=( a@ =".split(),
        *("token='", 'token="\\', "-----BEGIN PRIVATE KEY-----", "token ", "bearer ", ": "),
        *(
            "--token ",
            "--token' ",
            "--token \\'",
            "--a ",
            "mysql ",
            "mysql -p",
            "-p",
            " -p'",
            "--password \\\n ",
            "password: ",
            "curl -u a:",
            "a://b:@",
        ),
        *("/site-packages/x", "/a", "/lib/python3.", "\x1b[3", "x"),
        *("key=", "A_KEY=", "A_KEY", "_KEY", "aKey", "key=f(", "key='", "--key ", "--key '", "sig=a&"),
        *("password is ", "password ", "SG.", "SG.a-", "ya29.", "xapp-1-", "dckr_pat_", "hooks.slack.com/"),
        *("hooks.slack.com/services/", "docker ", "docker login -p", "sshpass -p ", "sshpass -p'"),
        *("sshpass -p '\\", "redis-cli -a ", 'redis-cli -a "'),
    ],
)
@pytest.mark.timeout(60)
def test_a_line_as_long_as_a_minified_file_does_not_hang(unit: str) -> None:
    """Where the work grows with the square of the length, each of these takes from minutes to hours."""
    assert redact_text(unit * (1_000_000 // len(unit)))


@pytest.mark.parametrize("unit", ["x", "\\", "\\' ", " -px", " -p'", "x;", "' "])
@pytest.mark.timeout(60)
def test_a_long_line_behind_a_secret_flag_does_not_hang(unit: str) -> None:
    assert redact_text("mysql --token '" + unit * (1_000_000 // len(unit)))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key sk_live_51H8abcDEF0123456", f"key {MASK}"),
        ("git clone https://ghtoken123456@github.com/x/y", f"git clone https://{MASK}@github.com/x/y"),
        ("git clone https://git@github.com/x/y", "git clone https://git@github.com/x/y"),
        ("https://example.org/a@b", "https://example.org/a@b"),
    ],
)
def test_keys_with_underscores_and_tokens_that_stand_alone_as_the_user(text: str, shown: str) -> None:
    assert redact_text(text) == shown


# --- the begin of a long text -------------------------------------------------------------------------------


def test_of_a_long_text_the_begin_is_redacted_and_the_cut_is_shown() -> None:
    text = f"token={SECRET} " + "name=value " * 5_000_000
    assert redact_begin(text, 30) == f"token={MASK} name=value na…"[:29] + "…"
    assert redact_begin(f"token={SECRET} x", 30) == f"token={MASK} x"
    assert redact_begin("x" * 31, 30) == "x" * 29 + "…"
    assert redact_begin("x" * 30, 30) == "x" * 30


@pytest.mark.parametrize("unit", ["\0", "name=value ", "token='", "--token '", "x"])
@pytest.mark.timeout(60)
def test_the_work_does_not_grow_with_the_text(unit: str) -> None:
    assert len(redact_begin(unit * (300_000_000 // len(unit)), 500)) <= 500


@pytest.mark.parametrize(
    "secret",
    [
        "eyJ" + "x" * 60 + "." + SECRET * 9,
        f"postgres://ada:{SECRET * 9}@db/prod",
        "SG." + SECRET * 7 + "." + "x" * 40,
        "ghp_" + SECRET * 3,
        f"token='{'word ' * 5} {SECRET}'",
        f"--password '{'word ' * 5} {SECRET}'",
        f"The password is {SECRET * 3}",
    ],
)
def test_no_half_secret_is_shown_where_the_text_was_cut(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the cut goes through the secret, and though all before it shrank to a mask."""
    before = "password=" + "y" * 3_000 + " "
    for at in range(1, len(secret) + 1):
        monkeypatch.setattr(redact, "_LOOKED_AT", len(before) + at)
        shown = redact_begin(f"{before}{secret} " + "z" * 5_000, 500)
        assert shown.startswith(f"password={MASK}")
        assert SECRET[:4] not in shown


def test_a_string_that_is_open_at_the_cut_is_masked_to_its_end() -> None:
    text = "a token='" + f"{SECRET} and more words " * 2_000 + "' b"
    assert redact_begin(text, 500) == f"a token={MASK}…"


def test_private_keys_run_over_lines_and_nothing_else_is_masked() -> None:
    key = f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----"
    assert mask_private_keys(f"pw={SECRET}\n{key}\nb") == f"pw={SECRET}\n{MASK}\nb"
