"""What must not be shared: secrets in text, argument lists and environments, and the names of homes.

Used on everything that is written to be looked at elsewhere: ``run.json``, notebooks, exports, ``show``.
The raw output of a target stays in its run folder, which is local and git-ignored.  A command line keeps its
other paths; folders that nobody typed (the working folder, those in variables) keep their last two names.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MASK = "[redacted]"

_SECRET_WORD = (
    r"(?:pass(?:word|wd|phrase|code)?|pwd?|secret|token|api[_-]?key|apikey|access[_-]?key|auth(?:orization)?"
    r"|cred(?:ential)?s?|private[_-]?key|session(?:[_-]?id)?|cookie|bearer|signature|dsn)"
)
# A piece of a name between other characters than letters and digits, or the end of one written together.
_SECRET_NAME = re.compile(
    rf"(?<![A-Za-z0-9])(?i:{_SECRET_WORD})(?![A-Za-z0-9])"
    r"|(?i:password|passwd|passphrase|passcode|(?:user|db)pass|secret|apikey|accesskey|accountkey|privatekey"
    r"|accesssignature|(?:access|api|auth|refresh)token)(?![A-Za-z0-9])"
    r"|(?<=[a-z])Token(?![A-Za-z0-9])"
    r"|(?<![A-Za-z0-9_])[A-Z0-9_]++(?<=._KEY)\Z"  # a variable, such as OPENAI_KEY
)
# A key may also be that of a row or a cache (``sort_key=name``), a signature a width: the value tells.
_KEY_NAME = re.compile(r"(?:(?<![A-Za-z0-9])(?i:key|sig)|(?<=[a-z0-9])Key)\Z")
_VALUE_CHARACTER = r"""[^\s,;&"'\[\](){}<>]"""
_LOOKS_SECRET = (
    rf"(?={_VALUE_CHARACTER}{{12}})"
    rf"(?={_VALUE_CHARACTER}{{0,256}}?[0-9])(?={_VALUE_CHARACTER}{{0,256}}?[A-Za-z])"
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
# Each of these looks at a character a bounded number of times (possessive where it repeats): a line of output may
# be a whole minified file.
_PATTERNS = (
    _PRIVATE_KEY,
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,1000}+\.[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]*+)?"),
    re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,})"),
    re.compile(
        r"\b(?:xox[abeprs]-[A-Za-z0-9-]{10,}|[rs]k_(?:live|test)_[A-Za-z0-9]{10,}|sk-[A-Za-z0-9_-]{16,}|hf_[A-Za-z0-9]{20,})"
    ),
    re.compile(r"\b(?:npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{16,}|AIza[A-Za-z0-9_-]{30,})"),
    re.compile(r"\b(?:https?://)?hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_-]{8,}+"),
    re.compile(r"\b(?:xapp-[0-9]-[A-Za-z0-9-]{10,}|dckr_[op]at_[A-Za-z0-9_-]{16,}|ya29\.[A-Za-z0-9_-]{16,})"),
    re.compile(r"\bSG\.[A-Za-z0-9_-]{16,100}+\.[A-Za-z0-9_-]{16,}"),
)
# A password may hold "@" and "/"; what begins as a port is none.
_URL_USER = re.compile(
    r"(?i)\b([a-z][a-z0-9+.-]{0,30}+://)"
    r"""(?:[^/\s@:]*+:(?:(?![0-9]{1,5}(?:[/?#]|$))[^\s"'<>]{1,256}|[^/\s@]++)|(?=[^/\s@:]*[0-9])[^/\s@:]{12,}+)@"""
)
# "Token" and "basic" are words as well: what follows counts where no word looks like it.
_SCHEME = re.compile(
    r"\b((?i:bearer)\s++|(?i:basic|token)\s++(?=[a-z._~+/=-]*+[0-9A-Z]))[A-Za-z0-9._~+/=-]{8,}"
)
# Prose that tells a password: a word with a digit, and no count ("the password is 8 characters long").
_TOLD = re.compile(
    r"""\b((?i:password|passphrase|passcode)[ \t]++(?i:is|was)[ \t]++["']?)"""
    r"""(?!\[redacted\])(?=[^\s"']{4})(?=[^\s"']{0,256}?[0-9])[^\s"']++"""
)
_ASSIGNED_NAME = re.compile(r"""(?<![A-Za-z0-9_.-])([A-Za-z0-9_.-]++)\\{0,3}["']?\s*+[=:]\s*+""")
# What stands behind these is not a count (``password=1234``), and behind a colon it may be several words.
_PASSWORD_NAME = re.compile(
    r"(?i)pass(?:word|wd|phrase|code)|(?:user|db)pass|(?<![a-z])p(?:ass|wd?)(?![a-z])|secret"
)
_LINE_NAME = re.compile(r"(?i)pass(?:word|wd|phrase|code)|(?<![a-z])cookie|(?<![a-z])authorization")
_QUOTED = r"""(?:"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'|(?P<q>\\{1,3}["'])[^"'\\]*+(?P=q))"""
_WRAPPED = r"(?:[A-Za-z_.]*+\(|[bBrRfFuU]{1,2}(?=\\{0,3}[\"']))?"
_ANY_VALUE = rf"""(?:{_WRAPPED}{_QUOTED}|\\{{0,3}}["']?[^\s,;&"']++)"""
# A string that is open where the text was cut.
_OPENED = re.compile(rf"""{_WRAPPED}\\{{0,3}}["']""")
_CLOSED = re.compile(rf"{_WRAPPED}{_QUOTED}")
_PASSWORD = re.compile(rf"(?!\[redacted\]){_ANY_VALUE}")
_REST_OF_LINE = re.compile(rf"""(?!\[redacted\])(?:(?=\\{{0,3}}["']){_ANY_VALUE}|[^\n]++)""")
_REST_OF_STRING = re.compile(r"""(?!\[redacted\])[^\n"']++""")
_VALUE = re.compile(rf"(?!\[redacted\]|(?i:bearer|basic)\s|[0-9]{{1,7}}(?![\w.-])){_ANY_VALUE}")
_KEY_VALUE = re.compile(rf"""(?={_WRAPPED}\\{{0,3}}["']?{_LOOKS_SECRET}){_ANY_VALUE}""")
# A flag and its value are two words, or two strings of a list: --password hunter2, '--password', 'hunter2'.
_FLAG = re.compile(
    r"""(?<![A-Za-z0-9_.-])(--?[A-Za-z][A-Za-z0-9_.-]*+)(?:\\{0,3}["'](?:\s*+,\s*+|\s++)|[ \t]++(?:\\\n[ \t]*+)?)"""
)
# What follows a flag in prose ("--token is required") is no value.
_FLAG_VALUE = re.compile(
    rf"""(?!\[redacted\]|\\{{0,3}}["']?-|(?:is|was|are|and|or|to|for|must|needs|not|with)(?!\S))"""
    rf"""(?:{_QUOTED}|\\{{0,3}}["']?(?:[^\s"'\\]|\\[^"'\s])++)"""
)
_KEY_FLAG_VALUE = re.compile(rf"""(?=\\{{0,3}}["']?{_LOOKS_SECRET}){_FLAG_VALUE.pattern}""")
# Clients of MySQL take the password in the same word as its flag.  A port (docker's -p80:80) is none.
_MYSQL = re.compile(
    r"(?:mysql(?:dump|admin|import|show|check|slap|pump|sh)?|mariadb(?:-[a-z]{1,12})?)(?:\.exe)?"
)
_MYSQL_PASSWORD = re.compile(
    rf"""-p(?!\[redacted\]|[0-9]{{1,5}}:[0-9]{{1,5}}(?![^\s"']))(?:{_QUOTED}|(?:[^\s"'\\]|\\[^"'\s])++)"""
)
_MYSQL_WORD = re.compile(
    rf"""(?<![\w.-])(?P<client>{_MYSQL.pattern})(?=[\s"'])|(?P<end>[\n;|&])|(?<![^\s"'])(?P<given>{_MYSQL_PASSWORD.pattern})"""
)
# curl takes user and password in one word.
_CURL_FLAG = r"(?:-[uU]|--(?:proxy-)?user)"
_CURL_USER = re.compile(
    rf"""(?<![^\s"'])({_CURL_FLAG}(?:=|["'],\s*+["']|\s*+)["']?[^\s:"']{{1,256}}:)(?!\[redacted\])[^\s"']++"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Client:
    """A command whose short flag takes a password: as the next word, or in the flag's own."""

    command: str
    subcommand: str = ""
    flag: str

    def words(self) -> re.Pattern[str]:
        """Where is this client named, where does its command end, and which word gives it a password?"""
        sub = rf"""[\s"',]{{1,4}}{self.subcommand}""" if self.subcommand else ""
        return re.compile(
            rf"""(?<![\w.-])(?P<client>{self.command}{sub})(?=[\s"'])|(?P<end>[\n;|&])"""
            rf"""|(?<![^\s"'])(?P<flag>{self.flag}(?:["'](?:\s*+,\s*+|\s++)|[ \t]*+))"""
        )

    def password_flag(self, argv: Sequence[str]) -> int | None:
        """Which of these arguments says that a password follows?"""
        is_called = is_client = False
        for at, word in enumerate(argv):
            if is_client and word.startswith(self.flag):
                return at
            is_called = is_called or re.fullmatch(self.command, word.rpartition("/")[2]) is not None
            is_client = is_client or (is_called and self.subcommand in ("", word))
        return None


_CLIENTS = (
    _Client(command="(?:docker|podman|nerdctl|skopeo|buildah)", subcommand="login", flag="-p"),
    _Client(command="sshpass", flag="-p"),
    _Client(command="redis-cli", flag="-a"),
)
_GIVEN = re.compile(rf"(?:\[redacted\]|{_FLAG_VALUE.pattern})")
_CLIENT_WORDS = {client: client.words() for client in _CLIENTS}
# A path up to the folder that holds packages.  It begins behind what is no part of a path, or behind a colour.
_NO_PATH = r"""\s"'()<>\[\],:;="""
_PACKAGES = re.compile(
    rf"(?<![^{_NO_PATH}])((?<=\x1b\[)[0-9;]{{0,20}}+m)?(?!//[^/])[^{_NO_PATH}]*/(?:(?:site|dist)-packages|lib/python3[.0-9t]*)/"
)
# What begins here is not the middle of a longer path; the end of a colour's code is no part of one.
_BEGIN = r"(?:(?<![\w.])|(?<=[\[;][0-9]m)|(?<=[\[;][0-9][0-9]m))"
_OURS = re.compile(
    rf"{_BEGIN}{re.escape(str(Path(__file__).resolve().parents[1]))}/(?=diagtools/|workloads/)"
)
_HOMES = re.compile(
    rf"{_BEGIN}(?:/home/|/Users/|[A-Za-z]:\\Users\\)[^/\\\s:'\"]+|{_BEGIN}/root(?=/|$|[\s:'\"])"
)
_KEPT_ENV = re.compile(
    r"PYTHON(?!STARTUP)[A-Z]*|MALLOC_[A-Z_]+|GLIBC_TUNABLES|LD_PRELOAD|OMP_\w+|MKL_\w+|OPENBLAS_\w+|ARROW_\w+"
    r"|POLARS_\w+|_?RJEM_MALLOC_CONF|MIMALLOC_\w+|CUDA_VISIBLE_DEVICES|LANG|LC_[A-Z]+|TZ|CI"
)
_SECRET_VARIABLE = re.compile(r"(?i:pass|pwd|secret|token|key|auth|cred|cookie|session|signature|dsn)")
_N_KEPT_FOLDERS = 2
#: Of a longer text no more than its begin is looked at; what stands last there may be half a token or half a URL.
_LOOKED_AT = 16_384
_NOT_SURE = 2_048


def redact_text(text: str) -> str:
    """The same text without secrets, with ``~`` for home folders and packages named from their own folder on."""
    return _redact(text, is_cut=False)


def redact_begin(text: str, n: int) -> str:
    """The first ``n`` characters of the same text redacted, the last of them ``…`` where it goes on.

    ``n`` is at most 10,000.  The work does not grow with the text: only its begin is looked at, and where that ends no
    half secret is shown.
    """
    is_cut = len(text) > _LOOKED_AT
    shown = _redact(text[:_LOOKED_AT], is_cut=is_cut)
    if is_cut:
        masked, mask, rest = shown.rpartition(MASK)
        shown = f"{masked}{mask}{rest[:-_NOT_SURE]}"
    return shown if len(shown) <= n and not is_cut else f"{shown[: n - 1]}…"


def mask_private_keys(text: str) -> str:
    """The same text without private keys, whose text runs over many lines; all other secrets stay."""
    return _PRIVATE_KEY.sub(MASK, text)


def _redact(text: str, *, is_cut: bool) -> str:
    for pattern in _PATTERNS:
        text = pattern.sub(MASK, text)
    text = _URL_USER.sub(rf"\1{MASK}@", text)
    text = _SCHEME.sub(rf"\1{MASK}", text)
    text = _mask_named(text, _ASSIGNED_NAME, _assigned, is_cut=is_cut)
    text = _mask_named(text, _FLAG, _flagged, is_cut=is_cut)
    text = _TOLD.sub(rf"\1{MASK}", text)
    return _shorten_homes(_shorten_packages(_mask_curl(_mask_clients(_mask_mysql(text)))))


def _assigned(name: re.Match[str]) -> re.Pattern[str] | None:
    """What is the value of this name?  ``None`` where it does not sound secret."""
    if _SECRET_NAME.search(name[1]) is None:
        return _KEY_VALUE if _KEY_NAME.search(name[1]) else None
    if _LINE_NAME.search(name[1]) and name[0].endswith(": "):
        is_in_string = name.string[name.start() - 1 : name.start()] in ("'", '"') and name[0].endswith(
            f"{name[1]}: "
        )
        return _REST_OF_STRING if is_in_string else _REST_OF_LINE
    return _PASSWORD if _PASSWORD_NAME.search(name[1]) else _VALUE


def _flagged(flag: re.Match[str]) -> re.Pattern[str] | None:
    """What is the value behind this flag?  ``None`` where it does not sound secret."""
    if _SECRET_NAME.search(flag[1]) is not None:
        return _FLAG_VALUE
    return _KEY_FLAG_VALUE if _KEY_NAME.search(flag[1]) else None


def _mask_named(
    text: str,
    names: re.Pattern[str],
    values: Callable[[re.Match[str]], re.Pattern[str] | None],
    *,
    is_cut: bool,
) -> str:
    """The same text without the value behind each name that sounds secret: ``api_key=…``, ``--token …``.

    Where the text was cut, a string that is not closed goes on to its end.
    """
    kept, position = [], 0
    for name in names.finditer(text):
        pattern = values(name) if name.start() >= position else None
        value = pattern.match(text, name.end()) if pattern is not None else None
        if value is not None:
            kept += [text[position : name.end()], MASK]
            position = len(text) if is_cut and _is_open(text, name.end()) else value.end()
    return "".join([*kept, text[position:]])


def _is_open(text: str, start: int) -> bool:
    """Does a string begin here that is not closed?"""
    return _OPENED.match(text, start) is not None and _CLOSED.match(text, start) is None


def _mask_clients(text: str) -> str:
    """The same text without what ``sshpass -p hunter2`` and its like are given; other commands keep their ``-p``."""
    for client, words in _CLIENT_WORDS.items():
        if re.search(client.command, text):
            text = _mask_given(text, words)
    return text


def _mask_given(text: str, words: re.Pattern[str]) -> str:
    """A client is given one password: what follows it may be another command (``sshpass -p hunter2 ssh -p 22``)."""
    kept, position, is_client = [], 0, False
    for word in words.finditer(text):
        if word["flag"] is None:
            is_client = word["client"] is not None and word.start() >= position
            continue
        given = _GIVEN.match(text, word.end()) if is_client else None
        if given is not None:
            kept += [text[position : word.end()], MASK]
            position, is_client = given.end(), False
    return "".join([*kept, text[position:]])


def _mask_mysql(text: str) -> str:
    """The same text without what a client of MySQL is given as ``-phunter2``; other commands keep their ``-p``."""
    if "mysql" not in text and "mariadb" not in text:
        return text
    kept, position, is_client = [], 0, False
    for word in _MYSQL_WORD.finditer(text):
        if word["given"] is None:
            is_client = word["client"] is not None
        elif is_client:
            kept += [text[position : word.start()], f"-p{MASK}"]
            position = word.end()
    return "".join([*kept, text[position:]])


def _mask_curl(text: str) -> str:
    """The same text without the password of ``curl -u ada:hunter2``."""
    return _CURL_USER.sub(rf"\1{MASK}", text) if "curl" in text else text


def redact_argv(argv: Iterable[str]) -> tuple[str, ...]:
    """The same command line without secrets, also where flag and value are two arguments."""
    shown: list[str] = []
    value_is_secret = value_may_be = is_client = is_curl = False
    for argument in _mask_arguments(tuple(argv)):
        is_value = value_is_secret or (value_may_be and _KEY_FLAG_VALUE.match(argument) is not None)
        if is_value and not argument.startswith("-"):
            shown.append(MASK)
            value_is_secret = value_may_be = False
            continue
        is_client = is_client or _MYSQL.fullmatch(argument.rpartition("/")[2]) is not None
        is_curl = is_curl or argument.rpartition("/")[2] == "curl"
        if is_curl and shown and re.fullmatch(_CURL_FLAG, shown[-1]):
            shown.append(re.sub(r"(?s):.*", f":{MASK}", argument))
            continue
        is_password = is_client and _MYSQL_PASSWORD.match(argument) is not None
        text = _CURL_USER.sub(rf"\1{MASK}", argument) if is_curl else argument
        shown.append(f"-p{MASK}" if is_password else redact_text(text))
        is_flag = argument.startswith("-") and "=" not in argument
        value_is_secret = is_flag and _SECRET_NAME.search(argument.lstrip("-")) is not None
        value_may_be = is_flag and _KEY_NAME.search(argument) is not None
    return tuple(shown)


def _mask_arguments(argv: Sequence[str]) -> Sequence[str]:
    """The same arguments without the password of the client that they call."""
    for client in _CLIENTS:
        at = client.password_flag(argv)
        argv = argv if at is None else _without_password(argv, at, client.flag)
    return argv


def _without_password(argv: Sequence[str], at: int, flag: str) -> Sequence[str]:
    """The same arguments without what the flag at this place is given."""
    if argv[at] != flag:
        return (*argv[:at], f"{flag}{MASK}", *argv[at + 1 :])
    return (*argv[: at + 1], *[MASK for _ in argv[at + 1 : at + 2]], *argv[at + 2 :])


def redact_env(env: Mapping[str, str]) -> dict[str, str]:
    """The variables that matter to memory, with their values; all others are left out, and all that sound secret."""
    return {
        name: os.pathsep.join(map(_shorten_folder, redact_text(value).split(os.pathsep)))
        for name, value in sorted(env.items())
        if _KEPT_ENV.fullmatch(name) and not _sounds_secret(name)
    }


def _sounds_secret(name: str) -> bool:
    """Might this variable hold a secret?  More names than in text, and all of those."""
    return any(known.search(name) for known in (_SECRET_VARIABLE, _SECRET_NAME, _KEY_NAME))


def redact_path(path: Path | str) -> str:
    """The same path with ``~`` for a home folder."""
    return _shorten_homes(os.fspath(path))


def redact_folder(path: Path | str) -> str:
    """What tells this folder from others: its path below a home, else its last two names behind ``…``."""
    return _shorten_folder(redact_path(path))


def _shorten_folder(path: str) -> str:
    names = [name for name in path.split("/") if name]
    if not path.startswith("/") or len(names) <= _N_KEPT_FOLDERS:
        return path
    return "/".join(["…", *names[-_N_KEPT_FOLDERS:]])


def _shorten_packages(text: str) -> str:
    return _OURS.sub("", _PACKAGES.sub(r"\1", text))


def _shorten_homes(text: str) -> str:
    home = _home()
    if len(home) > 1:
        text = re.sub(rf"{re.escape(home)}(?=$|[/\\\s:'\",])", "~", text)
    return _HOMES.sub("~", text)


def _home() -> str:
    try:
        return str(Path.home())
    except RuntimeError:  # a user without a name and without HOME
        return ""
