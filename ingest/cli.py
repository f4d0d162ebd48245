"""The command line: ``operon …``, the only module that knows both halves.

Results go to stdout, messages and progress to stderr. Exit codes follow sysexits (``docs/reference/cli.md``).
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import orjson
import typer
from pydantic import ValidationError
from rich.console import Console

from app import __version__
from app.config import Settings
from app.errors import BadFile, InvalidInput, Misconfigured, OperonError, Unavailable, UnknownOperation, quoted
from app.fhir.definitions import load_definitions
from app.fhir.parameters import Dialect, read_inputs
from app.operations import utilities
from app.operations.context import open_genome
from app.operations.export import export_subject
from app.operations.registry import open_context
from app.records import Build, SourceClass
from app.store import bulk, migrate, runs
from app.variants.transcript_files import TranscriptFiles
from ingest import demo as demo_data
from ingest import reference as reference_files
from ingest import rejustify as placing
from ingest.audit_cli import app as audit
from ingest.calls import VcfOptions, ingest_manifest, ingest_vcfs
from ingest.cds_cli import app as cds
from ingest.cip_cli import cip_api
from ingest.cip_users_cli import app as cip_users
from ingest.console import require_writable, say
from ingest.fhir import ingest_fhir
from ingest.follow_ups import FollowUps
from ingest.haplotypes import ingest_haplotypes
from ingest.inbox_cli import inbox
from ingest.jobs import HOMOPLASMIC_ABOVE
from ingest.knowledge_cli import app as knowledge
from ingest.normalize import describe
from ingest.pgx_cli import pgx
from ingest.progress import Progress
from ingest.public_sources import SOURCES
from ingest.report import IngestReport, show
from ingest.terminology_cli import terminology
from ingest.workspace import Workspace, open_database, open_workspace, require_schema, subjects_in

app = typer.Typer(no_args_is_help=True, help="FHIR Genomics operations over your own VCFs.")
db = typer.Typer(no_args_is_help=True, help="The store's schema.")
reference = typer.Typer(no_args_is_help=True, help="Reference sequence, chain, transcript and gene files.")
ingest = typer.Typer(no_args_is_help=True, help="Bring data in.")
ingest.command("cip-api")(cip_api)
export = typer.Typer(no_args_is_help=True, help="Take data out.")
subject = typer.Typer(no_args_is_help=True, help="Subjects of the store.")
app.add_typer(cds, name="cds")
app.add_typer(cip_users, name="cip-api")
app.add_typer(db, name="db")
app.add_typer(reference, name="reference")
app.add_typer(ingest, name="ingest")
app.add_typer(export, name="export")
app.add_typer(inbox, name="inbox")
app.add_typer(knowledge, name="knowledge")
app.add_typer(audit, name="audit")
app.add_typer(subject, name="subject")
app.add_typer(terminology, name="terminology")
app.add_typer(pgx, name="pgx")

_INTERRUPTED = 130
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no summary, only errors.")]
Assembly = Annotated[Build, typer.Option("--assembly", help="Assembly that the positions are on.")]
Rejustify = Annotated[bool, typer.Option("--rejustify", help="Place stored calls anew at once.")]
NoConsequences = Annotated[
    bool, typer.Option("--no-consequences", help="Do not examine the new variants for consequences.")
]
NoPgx = Annotated[bool, typer.Option("--no-pgx", help="Do not call pharmacogenes of the new tests.")]
ReportFile = Annotated[Path | None, typer.Option("--report", help="Write what was stored and what not as JSON.")]


def main() -> NoReturn:
    """Run the command line and end the process with its exit code."""
    signal.signal(signal.SIGTERM, _terminated)
    try:
        code = app(standalone_mode=False, prog_name="operon") or 0
    except OperonError as error:
        for problem in error.issues():
            say(problem.diagnostics)
        code = error.exit_code
    except ValidationError as error:
        for detail in error.errors():
            name = "_".join(str(part) for part in detail["loc"]).upper()
            say(f"OPERON_{name}: {detail['msg']}")
        code = Misconfigured.exit_code
    except typer.TyperException as error:
        _say_usage(error)
        code = error.exit_code
    except typer.Abort:
        say("nothing was changed")
        code = 1
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except OSError as error:
        say(f"{error.filename or 'input or output'}: {error.strerror}")
        code = 74
    except Exception:
        traceback.print_exc()
        say("this is an error inside Operon; please report it with the lines above")
        code = OperonError.exit_code
    if code == _INTERRUPTED:  # by an exception, or as what typer made of it
        say("interrupted; the same command continues where this one stopped")
    sys.exit(code)


def _terminated(*_: object) -> NoReturn:
    say("terminated; the same command continues where this one stopped")
    sys.exit(143)


def _say_usage(error: typer.TyperException) -> None:
    """Say what is wrong with the command; without arguments its help was printed already."""
    text = " ".join(error.format_message().split())
    if text:
        command = getattr(getattr(error, "ctx", None), "command_path", "operon")
        say(f"{text.rstrip('.')}. Try '{command} --help'.")


def _print_json(value: Any) -> None:
    print(orjson.dumps(value).decode())


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port to listen on.")] = None,
    workers: Annotated[int | None, typer.Option(help="Number of server processes.")] = None,
) -> None:
    """Serve the store."""
    from ingest import serving  # noqa: PLC0415 - the web framework takes a third of every other command's start

    settings = serving.with_address(Settings(), host=host, port=port, workers=workers)
    with open_database(settings) as database:
        require_schema(database)
    serving.serve(settings)


@app.command()
def demo(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port to listen on.")] = None,
    *,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Stop after loading.")] = False,
    quiet: Quiet = False,
) -> None:
    """Load the sample data under OPERON_HOME and serve them."""
    from ingest import serving  # noqa: PLC0415 - as above

    settings = serving.with_address(Settings(), host=host, port=port, workers=None)
    demo_data.load(settings, Progress(quiet=quiet))
    base = f"http://{settings.host}:{settings.port}"
    print(f"The sample data are loaded. Open {base}/ in a browser, or ask:\n")
    for question in demo_data.QUESTIONS:
        print(f"# {question.title}\n{question.command(base)}\n", flush=True)
    if not no_serve:
        serving.serve(settings)


@db.command("upgrade")
def db_upgrade() -> None:
    """Create the store or bring it to this release's schema."""
    with open_database(Settings()) as database:
        migrate.upgrade(database)
        print(migrate.current(database))


@db.command("downgrade")
def db_downgrade(revision: Annotated[str, typer.Argument(help="Revision, or 'base' for an empty store.")]) -> None:
    """Take the store's schema back to an older revision."""
    with open_database(Settings()) as database:
        migrate.downgrade(database, revision)


@db.command("current")
def db_current() -> None:
    """Print the revision of the store."""
    with open_database(Settings()) as database:
        print((migrate.current(database) if database.exists() else None) or "none")


@db.command("check")
def db_check() -> None:
    """Say whether store and release fit; exit code 78 if not."""
    with open_database(Settings()) as database:
        require_schema(database)
        migrate.check_drift(database)
    print("ok")


@reference.command("add")
def reference_add(
    files: Annotated[
        list[Path],
        typer.Argument(help="FASTA (chromosomes, or windows >ACC:start-end), chain, cdot, GFF3 or HGNC files."),
    ],
    assembly: Annotated[Build | None, typer.Option("--assembly", help="Refuse sequence of another assembly.")] = None,
    *,
    rejustify: Rejustify = False,
) -> None:
    """Add reference files of any kind, recognized by what they hold."""
    settings = Settings()
    for line in reference_files.add_files(settings, files, assembly):
        print(line, flush=True)
    _offer_rejustify(settings, now=rejustify)


@reference.command("add-chain")
def reference_add_chain(
    file: Annotated[Path, typer.Argument(help="Chain file, plain or gzip.")],
    source: Annotated[Build, typer.Option("--from", help="Build that the chains start from.")],
    target: Annotated[Build, typer.Option("--to", help="Build that the chains lead to.")],
    *,
    rejustify: Rejustify = False,
) -> None:
    """Add the chain file of one direction."""
    if source is target:
        raise InvalidInput("--from and --to name the same build")
    settings = Settings()
    print(reference_files.add_chain_file(settings, source, target, file))
    _offer_rejustify(settings, now=rejustify)


@reference.command("add-transcripts")
def reference_add_transcripts(
    files: Annotated[list[Path], typer.Argument(help="Transcripts as cdot JSON, plain or gzip.")],
) -> None:
    """Add transcripts, which c. and n. positions count along."""
    for line in reference_files.add_transcript_files(Settings(), files):
        print(line, flush=True)


@reference.command("fetch")
def reference_fetch(
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="A source, or a kind: sequence, chain, transcripts, genes. Repeatable."),
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be fetched, and from where.")] = False,
    rejustify: Rejustify = False,
    quiet: Quiet = False,
) -> None:
    """Download the public reference files and add them; the same command goes on where it was interrupted."""
    from ingest import fetch as fetching  # noqa: PLC0415 - no other command needs an HTTP client

    settings = Settings()
    sources = fetching.chosen(SOURCES, only or [])
    if dry_run:
        for line in fetching.planned(settings, sources):
            print(line)
        return
    for line in fetching.fetch(settings, sources, Progress(quiet=quiet)):
        print(line, flush=True)
    _offer_rejustify(settings, now=rejustify)


@reference.command("rejustify")
def reference_rejustify(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")] = False,
    quiet: Quiet = False,
) -> None:
    """Place stored calls anew that sequence or chains which came later can place better."""
    with open_workspace(Settings()) as workspace:
        _rejustify(workspace, Progress(quiet=quiet), dry_run=dry_run)


def _offer_rejustify(settings: Settings, *, now: bool) -> None:
    """Say how many stored variants the reference files may place better, or place them ``now``."""
    with open_database(settings) as database:
        try:
            if not database.exists() or migrate.current(database) != migrate.head(database):
                return
        except Unavailable:
            if now:
                raise
            return
    with open_workspace(settings) as workspace:
        if now:
            _rejustify(workspace, Progress(), dry_run=False)
        elif number := placing.waiting(workspace.database, workspace.genome):
            say(f"{number:,} stored variants wait for this: run 'operon reference rejustify'")


def _rejustify(workspace: Workspace, progress: Progress, *, dry_run: bool) -> None:
    outcome = placing.rejustify(workspace.database, workspace.genome, progress, dry_run=dry_run)
    total, would = outcome.total, "would be " if dry_run else ""
    print(f"{total.updated:,} variants {would}updated, {total.added:,} added, {total.removed:,} dropped")
    for source, calls in sorted(outcome.contradicting.items()):
        say(f"{source}: {calls:,} calls contradict the reference sequence and stay as they are")


@reference.command("status")
def reference_status() -> None:
    """Print what is loaded, as JSON."""
    print(orjson.dumps(reference_files.status(Settings()), option=orjson.OPT_INDENT_2).decode())


@ingest.command("vcf")
def ingest_vcf(
    files: Annotated[list[str], typer.Argument(help="VCF files (plain, gzip or BGZF); - reads standard input.")],
    assembly: Assembly,
    subject: Annotated[str | None, typer.Option(help="Subject of the sample; default: the sample's name.")] = None,
    sample: Annotated[str | None, typer.Option(help="Sample to take from a file with several.")] = None,
    *,
    all_samples: Annotated[bool, typer.Option("--all-samples", help="Take every sample, as its own subject.")] = False,
    test_id: Annotated[str | None, typer.Option(help="Identifier of the test; default: the file's name.")] = None,
    test_date: Annotated[str | None, typer.Option(help="Date of the test, YYYY-MM-DD.")] = None,
    specimen_id: Annotated[str | None, typer.Option(help="Identifier of the specimen.")] = None,
    source_class: Annotated[str, typer.Option(help="germline, somatic or mixed.")] = "germline",
    studied: Annotated[Path | None, typer.Option(help="BED of the regions that the test studied.")] = None,
    uncallable: Annotated[Path | None, typer.Option(help="BED of the regions that could not be called.")] = None,
    keep_filtered: Annotated[bool, typer.Option("--keep-filtered", help="Store records that FILTER rejects.")] = False,
    phased_contigs: Annotated[
        bool, typer.Option("--phased-contigs", help="Phased calls without PS share one phase set a contig.")
    ] = False,
    homoplasmic_above: Annotated[
        float, typer.Option(min=0, max=1, help="Frequency above which a mitochondrial call is homoplasmic.")
    ] = HOMOPLASMIC_ABOVE,
    absent_is_reference: Annotated[
        bool,
        typer.Option("--absent-is-reference", help="At positions of pharmacogenes, no record means the reference."),
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Withdraw what the tests had before.")] = False,
    no_consequences: NoConsequences = False,
    no_pgx: NoPgx = False,
    report: ReportFile = None,
    quiet: Quiet = False,
) -> None:
    """Ingest the calls of VCF files that belong together, all or nothing."""
    require_writable(report)
    options = VcfOptions(
        build=assembly,
        subject=subject,
        sample=sample,
        all_samples=all_samples,
        test_id=test_id,
        test_date=test_date,
        specimen_id=specimen_id,
        source_class=_source_class(source_class),
        studied=studied,
        uncallable=uncallable,
        keep_filtered=keep_filtered,
        phased_contigs=phased_contigs,
        homoplasmic_above=homoplasmic_above,
        replace=replace,
        consequences=not no_consequences,
        absent_is_reference=absent_is_reference,
        pgx=not no_pgx,
    )
    progress = Progress(quiet=quiet)
    with open_workspace(Settings()) as workspace:
        paths = [Path(name) if name != "-" else "-" for name in files]
        reports = ingest_vcfs(workspace, paths, options, progress)  # type: ignore[arg-type]
    _report(reports, report, quiet=quiet)


def _source_class(word: str) -> SourceClass:
    known = {item.word: item for item in SourceClass if item is not SourceClass.UNSPECIFIED}
    if word.lower() not in known:
        raise typer.BadParameter(f"{quoted(word)} is none of {', '.join(known)}", param_hint="--source-class")
    return known[word.lower()]


def _report(reports: list[IngestReport], path: Path | None, *, quiet: bool) -> None:
    if path is not None:
        path.write_bytes(orjson.dumps([report.for_ledger() for report in reports], option=orjson.OPT_INDENT_2) + b"\n")
    if not quiet:
        show(reports, Console(stderr=True))


@ingest.command("manifest")
def ingest_manifest_(
    file: Annotated[Path, typer.Argument(help="CSV with one row for each sample of a file.")],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Withdraw what the tests had before.")] = False,
    no_consequences: NoConsequences = False,
    no_pgx: NoPgx = False,
    report: ReportFile = None,
    quiet: Quiet = False,
) -> None:
    """Ingest the VCF files that a table lists."""
    require_writable(report)
    with open_workspace(Settings()) as workspace:
        result = ingest_manifest(
            workspace,
            file,
            Progress(quiet=quiet),
            replace=replace,
            consequences=not no_consequences,
            pgx=not no_pgx,
        )
    _report(result.reports, report, quiet=quiet)
    if not quiet and result.studies_without_calls:
        print(f"{result.studies_without_calls} studies without calls", file=sys.stderr)


@ingest.command("subjects")
def ingest_subjects(file: Annotated[Path, typer.Argument(help="CSV: subject_id[, sex, birth_date, ...].")]) -> None:
    """Add or complete subjects."""
    settings = Settings()
    given = subjects_in(file, settings)
    with open_workspace(settings) as workspace, workspace.database.sole_writer():
        added, completed = bulk.store_subjects(workspace.database, given, file.name)
    print(f"{added} added, {completed} completed, {len(given) - added - completed} unchanged", file=sys.stderr)


@ingest.command("unfinished")
def ingest_unfinished(
    *,
    discard: Annotated[bool, typer.Option("--discard", help="Remove what they stored so far.")] = False,
) -> None:
    """List interrupted ingests, which the same command continues, or discard them."""
    with open_workspace(Settings()) as workspace, workspace.database.sole_writer():
        for run in reversed(runs.unfinished(workspace.database)):
            _print_json({"source": run.source.name, "sha256": run.source.sha256, "records": run.next_record})
            if discard:
                runs.discard(workspace.database, run)


@ingest.command("fhir")
def ingest_fhir_(
    files: Annotated[
        list[str],
        typer.Argument(help="Bundles or resources of Genomics Reporting (.json, .ndjson, .gz); - reads stdin."),
    ],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Withdraw what the tests had before.")] = False,
    no_consequences: NoConsequences = False,
    no_pgx: NoPgx = False,
    report: ReportFile = None,
    quiet: Quiet = False,
) -> None:
    """Ingest variants, their phase, genotypes and studies from FHIR resources, each file all or nothing."""
    require_writable(report)
    console, reports = Console(stderr=True), []
    with open_workspace(Settings()) as workspace:
        paths: list[Path | Literal["-"]] = [Path(name) if name != "-" else "-" for name in files]
        progress = Progress(quiet=quiet)
        with FollowUps(workspace, progress, consequences=not no_consequences, pgx=not no_pgx):
            for stored in ingest_fhir(workspace, paths, progress, replace=replace):
                reports.append(stored)
                if not quiet:
                    console.print(stored.table())
    if report is not None:
        report.write_bytes(orjson.dumps([one.for_file() for one in reports], option=orjson.OPT_INDENT_2) + b"\n")
    refused = sum(one.refused.total for one in reports)
    if refused:
        say(f"{refused:,} Observations could not be stored, all else is; --report FILE lists them with the reasons")
        raise typer.Exit(BadFile.exit_code)


@export.command("fhir")
def export_fhir(
    subject_id: Annotated[str, typer.Argument(metavar="SUBJECT", help="The subject.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to a file; default: stdout.")] = None,
    test_id: Annotated[list[str] | None, typer.Option("--test-id", help="Only this test. Repeatable.")] = None,
) -> None:
    """Print everything that is stored of a subject as a Bundle, which another store can ingest."""
    settings = Settings()
    with open_workspace(settings) as workspace:
        names = workspace.genome.naming()
        pieces = export_subject(workspace.database, subject_id, settings, names, test_ids=test_id or ())
        _write(pieces, output)


def _write(pieces: Iterator[str], path: Path | None) -> None:
    """Write text to stdout, or to a file that appears when it is complete."""
    if path is None:
        for piece in pieces:
            sys.stdout.buffer.write(piece.encode())
        sys.stdout.buffer.flush()
        return
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, prefix=f".{path.name}.", delete=False, encoding="utf-8"
    ) as draft:
        written = Path(draft.name)
        try:
            draft.writelines(pieces)
        except BaseException:
            written.unlink()
            raise
    written.replace(path)


@ingest.command("haplotypes")
def ingest_haplotypes_(
    file: Annotated[str, typer.Argument(help="TSV with one genotype of a test a line; - reads standard input.")],
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="Withdraw the genotypes that the tests had before.")
    ] = False,
    report: ReportFile = None,
    quiet: Quiet = False,
) -> None:
    """Ingest genotypes and haplotypes that other programs called, all or nothing."""
    require_writable(report)
    path: Path | Literal["-"] = Path(file) if file != "-" else "-"
    with open_workspace(Settings()) as workspace:
        result = ingest_haplotypes(workspace, path, replace=replace)
    if report is not None:
        report.write_bytes(orjson.dumps([result.to_json()], option=orjson.OPT_INDENT_2) + b"\n")
    if not quiet:
        print(result.text(), file=sys.stderr)


@subject.command("list")
def subject_list() -> None:
    """Print every subject, one JSON object a line."""
    with open_workspace(Settings()) as workspace:
        for entry in bulk.all_subjects(workspace.database):
            _print_json(
                {
                    "subject_id": entry.subject_id,
                    "sex": entry.sex.value,
                    "birth_date": entry.birth_date,
                    "identifiers": [{"system": system, "value": value} for system, value in entry.identifiers],
                }
            )


@subject.command("erase")
def subject_erase(
    subject_id: Annotated[str, typer.Argument(help="The subject.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove every trace of a subject."""
    if not yes:
        typer.confirm(f"Remove every trace of {subject_id}?", abort=True)
    # Without the worker's lock as well, what it has just taken from the inbox would come back.
    with (
        open_workspace(Settings()) as workspace,
        workspace.database.sole_worker(),
        workspace.database.sole_writer(),
    ):
        bulk.erase_subject(workspace.database, subject_id)


@app.command()
def normalize(
    variants: Annotated[
        list[str], typer.Argument(help="SPDI, HGVS or 17-43057062-T-TG; - reads one a line from stdin.")
    ],
    *,
    assembly: Annotated[
        Build | None, typer.Option("--assembly", help="Assembly of variants like 17-43057062-T-TG.")
    ] = None,
) -> None:
    """Print the identity of variants on both builds, one JSON object a line."""
    settings = Settings()
    genome = open_genome(settings.reference_dir)
    identifier, namer = genome.identifier(settings), genome.namer()
    for text in variants:
        for variant in sys.stdin if text == "-" else (text,):
            if variant.strip():
                _print_json(describe(variant.rstrip("\n"), identifier, namer, assembly))


@app.command()
def feature(
    gene: Annotated[str | None, typer.Option("--gene", help="Symbol or HGNC identifier of a gene.")] = None,
    transcript: Annotated[str | None, typer.Option("--transcript", help="Accession of a transcript.")] = None,
    protein: Annotated[str | None, typer.Option("--protein", help="Accession of a protein.")] = None,
    chromosome: Annotated[str | None, typer.Option("--chromosome", help="Name of a chromosome, e.g. chr7.")] = None,
    range_: Annotated[str | None, typer.Option("--range", help="Range, e.g. NC_000001.11:11794399-11794400.")] = None,
) -> None:
    """Print where a chromosome, gene, transcript or protein lies, or which genes a range has."""
    named = {"gene": gene, "transcript": transcript, "protein": protein, "chromosome": chromosome, "range": range_}
    given = [(name, value) for name, value in named.items() if value is not None]
    if len(given) != 1:
        raise typer.BadParameter(f"give one of --{', --'.join(named)}")
    transcripts = TranscriptFiles(Settings().reference_dir)
    answer = utilities.find_the_gene if range_ is not None else utilities.feature_coordinates
    _print_json(answer(given, transcripts))


@app.command()
def query(
    operation: Annotated[str, typer.Argument(help="Name of the operation, e.g. find-subject-variants.")],
    inputs: Annotated[list[str], typer.Argument(help="Inputs as name=value; repeat a name as in a URL.")],
    *,
    ref: Annotated[bool, typer.Option("--ref", help="Answer in the reference implementation's dialect.")] = False,
) -> None:
    """Run an operation in process and print the Parameters resource."""
    settings = Settings()
    definitions = load_definitions()
    name = operation.removeprefix("$")
    if name not in definitions:
        raise UnknownOperation(f"there is no operation {quoted(name)}; there are {', '.join(sorted(definitions))}")
    pairs = []
    for text in inputs:
        key, equals, value = text.partition("=")
        if not equals:
            raise typer.BadParameter(f"{quoted(text)}: write inputs as name=value")
        pairs.append((key, value))
    dialect = Dialect.REF if ref else Dialect.IG
    asked = read_inputs(definitions[name], pairs, None, dialect, path_subject=None, strict=True, settings=settings)
    with open_database(settings) as database:
        require_schema(database)
    context = open_context(settings)
    try:
        sys.stdout.buffer.write(context.answer(name, asked) + b"\n")
    finally:
        context.close()


if __name__ == "__main__":
    main()
