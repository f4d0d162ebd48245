"""The one tree of errors that Operon raises on purpose; rendered for HTTP in ``app/api/errors.py`` only.

::

    OperonError
    ├── InvalidInput (400)            a parameter, file or value that cannot be used
    │   ├── MissingParameter          required parameter absent
    │   ├── InvalidValue              malformed range, date, boolean, code
    │   ├── UnknownRefSeq             accession that is not a primary chromosome of GRCh37/GRCh38
    │   ├── UnreadableVariant         neither SPDI nor HGVS
    │   ├── CannotNormalize           parses, but contradicts the reference or needs what is not loaded
    │   ├── ForbiddenCombination      parameters that exclude each other
    │   ├── InvalidBody               request body that is not a Parameters resource
    │   ├── MissingHeader             request header that says who asks
    │   ├── SeveralProblems           one error that carries one issue per bad value
    │   ├── InvalidFields             a document of the CIP-API with bad fields, each by its path
    │   └── BadFile                   an input file: names file, line, field and the mend
    │       └── LimitExceeded         an input file above a documented cap
    ├── NotFound (404)
    │   ├── SubjectNotFound
    │   ├── DrugNotFound
    │   ├── ResultsNotReady           there are results, but they cannot be used yet
    │   ├── PageNotFound              a list has no such page
    │   └── UnknownOperation
    ├── NotAuthenticated (401) · NotAllowed (403)
    │   └── ConsentWithheld           the person has not agreed to what was asked for
    ├── LiftoverFailed (422)          a range or variant has no place on the build that the data are on
    ├── NotReduced (422)              an HLA name that has no reduction
├── NotInstalled (501)            an optional library or its data are not there
├── MethodNotAllowed (405) · NotAcceptable (406) · UnsupportedMediaType (415)
    ├── PrefetchUnavailable (412)     a CDS client did not send what a service needs, and it cannot be fetched
    ├── TooCostly (413) · UriTooLong (414)
    ├── Throttled (429)               too many attempts to log in
    ├── Unavailable (503)             database away or locked
    ├── Busy (exit 75)                another ingest holds the store
    └── Misconfigured (exit 78)       settings or reference files that contradict each other

``status`` is the HTTP status, ``code`` the FHIR issue type (http://hl7.org/fhir/issue-type), ``phrase`` the text
that the Genomics Reporting IG prints for the status, ``exit_code`` the command line's (sysexits).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

_QUOTE_LIMIT = 120


def quoted(text: object) -> str:
    """Return user input shortened for a message, so that a huge value never fills a log or a body."""
    shown = str(text)
    return shown if len(shown) <= _QUOTE_LIMIT else shown[: _QUOTE_LIMIT - 1] + "…"


class OperonError(Exception):
    """Base of every deliberate error."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "exception"
    phrase: ClassVar[str] = "INTERNAL SERVER ERROR"
    exit_code: ClassVar[int] = 70

    def __init__(self, diagnostics: str, *, parameter: str | None = None) -> None:
        super().__init__(diagnostics)
        self.diagnostics = diagnostics
        self.parameter = parameter

    def issues(self) -> Sequence[OperonError]:
        """Return the single problems that this error stands for."""
        return (self,)


class InvalidInput(OperonError):
    """The caller's input cannot be used."""

    status = 400
    code = "invalid"
    phrase = "ERROR: Invalid query parameters"
    exit_code = 65


class MissingParameter(InvalidInput):
    """A required parameter is absent."""

    code = "required"
    exit_code = 2

    def __init__(self, parameter: str, diagnostics: str | None = None) -> None:
        super().__init__(diagnostics or f"Missing query parameter '{parameter}'", parameter=parameter)


class InvalidValue(InvalidInput):
    """A value has the wrong form."""

    code = "value"


class UnknownRefSeq(InvalidInput):
    """An accession is not a primary chromosome of GRCh37 or GRCh38."""

    code = "code-invalid"

    def __init__(self, ref_seq: str, *, parameter: str | None = None) -> None:
        super().__init__(f"RefSeq({quoted(ref_seq)}) is not valid", parameter=parameter)


class UnreadableVariant(InvalidInput):
    """A variant is written neither as SPDI nor as HGVS."""

    def __init__(self, text: str) -> None:
        super().__init__(f"variant ({quoted(text)}) is not in the correct format(SPDI|HGVS)", parameter="variants")


class CannotNormalize(InvalidInput):
    """A variant parses, but cannot be reduced to an identity."""

    code = "processing"

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(f"Cannot normalize variant: {quoted(text)} ({reason})", parameter="variants")
        self.reason = reason


class ForbiddenCombination(InvalidInput):
    """Parameters that exclude each other were given together."""

    code = "business-rule"


class InvalidBody(InvalidInput):
    """A request body is not what the operation takes."""

    code = "structure"


class MissingHeader(InvalidInput):
    """A request does not say who asks, where it has to."""

    code = "required"

    def __init__(self, header: str) -> None:
        super().__init__(f"Missing required header: {header}")
        self.header = header


class SeveralProblems(InvalidInput):
    """Several bad values at once: every one becomes an issue of the answer."""

    def __init__(self, problems: Sequence[OperonError]) -> None:
        super().__init__("; ".join(problem.diagnostics for problem in problems))
        self.problems = tuple(problems)

    def issues(self) -> Sequence[OperonError]:
        """Return each problem."""
        return self.problems


class InvalidFields(InvalidInput):
    """A document that a client of the CIP-API sent has fields that cannot be used: dotted path → what is wrong."""

    code = "structure"

    def __init__(self, problems: Mapping[str, Sequence[str]]) -> None:
        super().__init__("; ".join(f"{path}: {' '.join(texts)}" for path, texts in problems.items()))
        self.problems = {path: list(texts) for path, texts in problems.items()}


class BadFile(InvalidInput):
    """An input file cannot be used; ``line_1based`` and ``field`` tell where, ``mend`` what to do about it."""

    def __init__(
        self, source: str, problem: str, *, line_1based: int | None = None, field: str | None = None, mend: str = ""
    ) -> None:
        where = quoted(source)
        if line_1based is not None:
            where += f", line {line_1based}"
        if field:
            where += f", {field}"
        super().__init__(f"{where}: {problem}" + (f". {mend}" if mend else ""))
        self.source = source
        self.problem = problem
        self.line_1based = line_1based
        self.field = field
        self.mend = mend


class LimitExceeded(BadFile):
    """An input file is above a cap; the message names the setting that raises it."""

    code = "too-costly"


class NotFound(OperonError):
    """What was asked for is not here."""

    status = 404
    code = "not-found"
    phrase = "ERROR: Not found"
    exit_code = 66


class SubjectNotFound(NotFound):
    """No such subject."""

    phrase = "ERROR: Patient not found"

    def __init__(self, subject: str) -> None:
        super().__init__(f"Patient ({quoted(subject)}) not found.", parameter="subject")
        self.subject = quoted(subject)


class DrugNotFound(NotFound):
    """No drug has such a name."""

    phrase = "ERROR: Drug not found"

    def __init__(self, kind: str, terms: Sequence[str], *, several: bool = False) -> None:
        named = ", ".join(f'"{quoted(term)}"' for term in terms)
        super().__init__(f"No {_DRUG_KINDS[kind]}{'(s)' if several else ''} found for {named}.")
        self.kind = kind


_DRUG_KINDS = {"substance": "substance", "tradename": "trade name", "inn": "INN", "vnr": "article number"}


class ResultsNotReady(NotFound):
    """There are results of a person, but they cannot be used yet."""

    code = "transient"

    def __init__(self, subject: str) -> None:
        super().__init__(f'Test results for patient "{quoted(subject)}" are not ready.')


class PageNotFound(NotFound):
    """A list has fewer pages than the one that is asked for."""


class UnknownOperation(NotFound):
    """No such path or operation."""

    code = "not-supported"


class NotAuthenticated(OperonError):
    """The request does not prove who asks."""

    status = 401
    code = "login"
    phrase = "ERROR: Not authenticated"
    exit_code = 77


class NotAllowed(OperonError):
    """It is known who asks, but they may not."""

    status = 403
    code = "forbidden"
    phrase = "ERROR: Not allowed"
    exit_code = 77


class ConsentWithheld(NotAllowed):
    """There may be results of a person, but the person has not agreed to what was asked for."""

    code = "suppressed"
    phrase = "ERROR: Withheld"


class LiftoverFailed(OperonError):
    """A range or variant has no place on the build that the data are on."""

    status = 422
    code = "processing"
    phrase = "ERROR: Failed LiftOver"
    exit_code = 65


class NotReduced(OperonError):
    """An HLA name cannot be reduced."""

    status = 422
    code = "processing"
    phrase = "ERROR: Failed HLA normalization"
    exit_code = 65

    def __init__(self, name: str) -> None:
        super().__init__(f"Failed HLA normalization: {quoted(name)}", parameter="allele")


class NotInstalled(OperonError):
    """What was asked for needs an optional library, or data of it, that this server does not have."""

    status = 501
    code = "not-supported"
    phrase = "ERROR: Not supported"
    exit_code = 78


class MethodNotAllowed(OperonError):
    """The path exists, but not for this HTTP method."""

    status = 405
    code = "not-supported"
    phrase = "ERROR: Method not allowed"


class NotAcceptable(OperonError):
    """None of the formats that the client accepts can be produced."""

    status = 406
    code = "not-supported"
    phrase = "ERROR: Not acceptable"


class UnsupportedMediaType(OperonError):
    """The request body has a media type that is not read."""

    status = 415
    code = "not-supported"
    phrase = "ERROR: Unsupported media type"


class PrefetchUnavailable(OperonError):
    """A CDS client did not send along what a service cannot do without, and its server cannot be asked."""

    status = 412
    code = "required"
    phrase = "ERROR: Precondition failed"


class TooCostly(OperonError):
    """The request is larger than a documented limit."""

    status = 413
    code = "too-costly"
    phrase = "ERROR: Too costly"
    exit_code = 65


class UriTooLong(TooCostly):
    """The request line is longer than the limit."""

    status = 414


class Throttled(OperonError):
    """Too many attempts failed lately; ``seconds`` is when the next one counts."""

    status = 429
    code = "throttled"
    phrase = "ERROR: Too many requests"

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many attempts; the next one is looked at in {seconds} seconds")
        self.seconds = seconds


class Unavailable(OperonError):
    """The database cannot be reached; never answered as an empty result."""

    status = 503
    code = "transient"
    phrase = "ERROR: Service unavailable"
    exit_code = 69


class Busy(OperonError):
    """Another ingest holds the store."""

    status = 503
    code = "conflict"
    phrase = "ERROR: Busy"
    exit_code = 75


class Misconfigured(OperonError):
    """Settings or reference files contradict each other."""

    exit_code = 78
