"""The utilities of the reference implementation over HTTP, on a folder of small reference files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from app.records import Build
from tests.answers import asking
from tests.api.client import Answer, Client
from tests.api.conftest import FakeContext
from tests.command_line import CommandLine
from tests.gene_files import cds_row, gene_row, hgnc_row, mrna_row, write_gff3, write_hgnc
from tests.synthetic_chains import Block, write
from tests.synthetic_transcripts import cdot_place, cdot_record, write_cdot

B37, B38 = Build.GRCH37, Build.GRCH38
FEATURES = "/utilities/get-feature-coordinates"
GENES = "/utilities/find-the-gene"
NAMES = "/utilities/normalize-variant"
BASES = "ACGTACGGGTACGTACGTAC"
LINK = "https://www.genenames.org/data/gene-symbol-report/#!/hgnc_id/"

GENE = {
    "geneId": "HGNC:5",
    "geneSymbol": "A1BG",
    "geneLink": f"{LINK}HGNC:5",
    "build37Coordinates": "NC_000001.10:90-300",
    "build38Coordinates": "NC_000001.11:1090-1300",
    "transcripts": ["NM_1.2"],
    "MANE": ["NM_1.2"],
}
NEIGHBOUR = {
    "geneId": "HGNC:6",
    "geneSymbol": "NEXT",
    "geneLink": f"{LINK}HGNC:6",
    "build38Coordinates": "NC_000001.11:1299-1400",
}
MITOCHONDRIAL = {"geneSymbol": "MT-ND1", "build38Coordinates": "NC_012920.1:3306-4262"}


@pytest.fixture(scope="module")
def operon(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """Return the commands on a home with genes, transcripts, chains and a window of sequence on both builds."""
    folder = tmp_path_factory.mktemp("files")
    places = {
        B37: cdot_place(B37, [(100, 110, 0, 1, 10), (200, 205, 1, 11, 15)]),
        B38: cdot_place(B38, [(1100, 1110, 0, 1, 10), (1200, 1205, 1, 11, 15)]),
    }
    coding = {"gene_name": "OLD", "hgnc": "5", "protein": "NP_1.1", "start_codon": 3, "stop_codon": 12}
    files = [
        write_cdot(folder / "t.json", *(cdot_record(f"NM_1.{version}", places, **coding) for version in (1, 2))),
        write_gff3(
            folder / "38.gff",
            gene_row("A1BG", (1090, 1300), hgnc=5, synonyms="SYN"),
            mrna_row("NM_1.2", tag="MANE Select"),
            cds_row("NP_1.1", "rna-NM_1.2", "glycoprotein%2C alpha"),
            gene_row("NEXT", (1299, 1400), hgnc=6, synonyms="SYN"),
            gene_row("MT-ND1", (3306, 4262), hgnc=None, contig=25),
        ),
        write_gff3(folder / "37.gff", gene_row("A1BG", (90, 300), hgnc=5, build=B37)),
        write_hgnc(folder / "hgnc.txt", hgnc_row(5, "A1BG", aliases="GAB", previous="A1B"), hgnc_row(6, "NEXT")),
        write(folder / "37to38.chain", B37, Block(0, 100_000, 1000)),
        write(folder / "38to37.chain", B38, Block(1000, 100_000, 0)),
    ]
    for accession, start in (("NC_000001.10", 2000), ("NC_000001.11", 3000)):
        path = folder / f"{accession}.fa"
        path.write_text(f">{accession}:{start + 1}-{start + len(BASES)}\n{BASES}\n")
        files.append(path)
    operon = CommandLine(tmp_path_factory.mktemp("home"))
    operon.done("db", "upgrade")
    operon.done("reference", "add", *files)
    return operon


@pytest.fixture(scope="module")
def server(operon: CommandLine) -> Iterator[Client]:
    with asking(operon.home) as opened:
        yield opened.client


def good(answer: Answer) -> Any:
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def refusal(server: Client, url: str) -> str:
    """Return what a refused question is told, alike in both forms of an error."""
    plain, fhir = server.get(url), server.get(url, accept="application/fhir+json")
    assert (plain.status, fhir.status) == (400, 400)
    assert plain.headers["content-type"] == "application/problem+json"
    [issue] = fhir.issues
    assert issue["diagnostics"] == plain.json()["detail"]
    return str(issue["diagnostics"])


# --- get-feature-coordinates ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["A1BG", "a1bg", "HGNC:5", "hgnc:5", "5", "GAB", "A1B", "OLD", " A1BG "])
def test_a_gene_is_found_by_every_name(server: Client, name: str) -> None:
    assert good(server.get(f"{FEATURES}?gene={quote(name)}")) == [GENE]


def test_genes_that_share_a_name_are_all_told(server: Client) -> None:
    assert good(server.get(f"{FEATURES}?gene=SYN")) == [GENE, NEIGHBOUR]


@pytest.mark.parametrize("query", ["gene=NONE", "gene=999", "transcript=NM_9", "protein=NP_9.1", "chromosome=chr23"])
def test_an_unknown_name_gives_an_empty_list(server: Client, query: str) -> None:
    assert good(server.get(f"{FEATURES}?{query}")) == []


@pytest.mark.parametrize("name", ["NM_1", "NM_1.1", "NM_1.2", "nm_1.99"])
def test_the_newest_version_of_a_transcript_is_told_whatever_is_asked_for(server: Client, name: str) -> None:
    [found] = good(server.get(f"{FEATURES}?transcript={name}"))
    assert (found["transcript"], found["geneSymbol"], found["MANE"]) == ("NM_1.2", "A1BG", True)
    assert (found["build37CDSStart"], found["build37CDSEnd"], found["build38CDSEnd"]) == (103, 202, 1202)
    assert [exon["exonNumber"] for exon in found["exons"]] == [1, 2]


@pytest.mark.parametrize("name", ["NP_1", "NP_1.7", "np_1.1"])
def test_a_protein_is_named(server: Client, name: str) -> None:
    assert good(server.get(f"{FEATURES}?protein={name}")) == {
        "protein": "NP_1.1",
        "proteinLink": "https://www.ncbi.nlm.nih.gov/protein/NP_1.1/",
        "proteinName": "glycoprotein, alpha",
        "transcript": "NM_1.2",
    }


def test_a_chromosome_is_an_object(server: Client) -> None:
    assert good(server.get(f"{FEATURES}?chromosome=chry"))["build38RefSeq"] == "NC_000024.10"


@pytest.mark.parametrize("query", ["", "?gene=", "?gene=%20&protein=", "?symbol=A1BG"])
def test_no_parameter_is_refused(server: Client, query: str) -> None:
    assert refusal(server, FEATURES + query) == "You must provide one parameter."


@pytest.mark.parametrize(
    "query", ["gene=A1BG&transcript=NM_1", "gene=A1BG&gene=NEXT", "chromosome=chr1,transcript=NM_1", "gene=A1BG,NEXT"]
)
def test_more_than_one_parameter_is_refused(server: Client, query: str) -> None:
    assert refusal(server, f"{FEATURES}?{query}") == "Only one argument can be suuplied"


# --- find-the-gene ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("NC_000001.10:90-91", [GENE]),
        ("NC_000001.10:89-90", []),
        ("NC_000001.10:299-300", [GENE]),
        ("NC_000001.10:300-301", []),
        ("NC_000001.11:1090-1090", [GENE]),
        ("NC_000001.11:1299-1299", [GENE, NEIGHBOUR]),
        ("NC_000001.11:1300-1300", [NEIGHBOUR]),
        ("nc_000001.11:0-999999999", [GENE, NEIGHBOUR]),
        ("NC_000002.12:1090-1300", []),
        ("NC_012920.1:3306-3307", [MITOCHONDRIAL]),
    ],
)
def test_genes_are_found_by_place_on_either_build(server: Client, asked: str, expected: list[Any]) -> None:
    assert good(server.get(f"{GENES}?range={asked}")) == expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "Range is required."),
        ("?range=", "Range is required."),
        ("?range=chr1:5-6", "'chr1:5-6' does not match RefSeq:start-end, such as NC_000017.11:43044294-43125364"),
        ("?range=NC_000001.11:6-5", "Range start(6) should be less than or equal to Range end(5)"),
        ("?range=NC_000001.9:5-6", "RefSeq(NC_000001.9) is not valid"),
        ("?range=NC_000001.11:5-6&range=NC_000001.11:7-8", "'range' takes one value, not 2"),
    ],
)
def test_a_bad_range_is_refused(server: Client, query: str, message: str) -> None:
    assert refusal(server, GENES + query) == message
    [issue] = server.get(GENES + query, accept="application/fhir+json").issues
    assert issue["expression"] == ["Parameters.parameter.where(name='range')"]


# --- normalize-variant ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["NC_000001.10:2006:G:", "NC_000001.11:3008:G:", "NC_000001.10:g.2007del", "NC_000001.11:g.3009delG"]
)
def test_a_variant_is_named_on_both_builds(server: Client, text: str) -> None:
    assert good(server.get(f"{NAMES}?variant={quote(text)}")) == {
        "b37SPDI": "NC_000001.10:2006:GGG:GG",
        "b38SPDI": "NC_000001.11:3006:GGG:GG",
        "b37HGVS": "NC_000001.10:g.2009del",
        "b38HGVS": "NC_000001.11:g.3009del",
    }


def test_a_build_without_the_variant_has_empty_names(server: Client) -> None:
    assert good(server.get(f"{NAMES}?variant=NC_000001.11:999:A:C")) == {
        "b37SPDI": "",
        "b38SPDI": "NC_000001.11:999:A:C",
        "b37HGVS": "",
        "b38HGVS": "NC_000001.11:g.1000A>C",
    }


def test_a_plus_may_arrive_unencoded(server: Client) -> None:
    plain, encoded = (server.get(f"{NAMES}?variant=NM_1.2:c.7{plus}1A>C") for plus in ("+", "%2B"))
    assert good(plain) == good(encoded)
    assert good(plain)["b37HGVS"] == "NC_000001.10:g.111A>C"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "Missing query parameter 'variant'"),
        ("?variant=BRCA1", "Unrecognized variant syntax."),
        ("?variant=a:b:c", "Unrecognized variant syntax."),
        ("?variant=NC_000001.10:2006:T:", "Cannot normalize variant: NC_000001.10:2006:T: (the reference has"),
        ("?variant=NM_9.1:c.1A>G", "Cannot normalize variant: NM_9.1:c.1A>G (transcript NM_9.1 is not loaded"),
        ("?variant=NC_000001.9:5:A:C", "RefSeq(NC_000001.9) is not valid"),
    ],
)
def test_a_variant_without_names_is_refused_with_the_reason(server: Client, query: str, message: str) -> None:
    assert refusal(server, NAMES + query).startswith(message)
    [issue] = server.get(NAMES + query, accept="application/fhir+json").issues
    assert issue["expression"] == ["Parameters.parameter.where(name='variant')"]


# --- as every route ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [f"{FEATURES}?gene=5", f"{GENES}?range=NC_000001.11:1-2", f"{NAMES}?variant=a"])
def test_methods_are_get_and_head(server: Client, url: str) -> None:
    body, head = server.get(url), server.head(url)
    assert (head.status, head.body) == (body.status, b"")
    assert head.headers["content-length"] == body.headers["content-length"]
    assert server.post(url).status == 405
    assert server.options(url).headers["allow"] == "GET, HEAD, OPTIONS"


def test_an_answer_that_the_client_has_is_not_sent_again(server: Client) -> None:
    first = server.get(f"{FEATURES}?gene=5")
    again = server.get(f"{FEATURES}?gene=5", if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert server.get(f"{FEATURES}?gene=6", if_none_match=first.headers["etag"]).status == 200


def test_answers_are_laid_out_on_request_and_json_only(server: Client) -> None:
    assert b"\n" in server.get(f"{FEATURES}?gene=5&_pretty=true").body
    assert server.get(f"{FEATURES}?gene=5", accept="text/csv").status == 406


def test_utilities_are_counted_and_get_what_was_asked(client: Client, context: FakeContext) -> None:
    answer = client.get(f"{FEATURES}?gene=A+B&x=%C3%A9")
    assert answer.json() == {"utility": "get-feature-coordinates", "pairs": [["gene", "A B"], ["x", "é"]]}
    counted = client.get("/metrics").body.decode()
    assert 'operon_requests_total{operation="get-feature-coordinates",status="200"} 1.0' in counted


def test_the_page_leads_to_each(client: Client) -> None:
    page = client.get("/").body.decode()
    for url in (f"{FEATURES}?gene=BRCA1", f"{GENES}?range=", f"{NAMES}?variant="):
        assert f'href="{url}' in page


# --- the same on the command line -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "url"),
    [
        (["--gene", "gab"], f"{FEATURES}?gene=gab"),
        (["--gene", "HGNC:5"], f"{FEATURES}?gene=HGNC:5"),
        (["--transcript", "NM_1"], f"{FEATURES}?transcript=NM_1"),
        (["--protein", "NP_1"], f"{FEATURES}?protein=NP_1"),
        (["--chromosome", "chr7"], f"{FEATURES}?chromosome=chr7"),
        (["--range", "NC_000001.11:1299-1299"], f"{GENES}?range=NC_000001.11:1299-1299"),
    ],
)
def test_the_command_prints_the_same(operon: CommandLine, server: Client, arguments: list[str], url: str) -> None:
    assert json.loads(operon.done("feature", *arguments).out) == good(server.get(url))


@pytest.mark.parametrize("arguments", [[], ["--gene", "A1BG", "--range", "NC_000001.11:1-2"]])
def test_the_command_wants_one_question(operon: CommandLine, arguments: list[str]) -> None:
    ended = operon.run("feature", *arguments)
    assert ended.code == 2
    assert "give one of --gene, --transcript, --protein, --chromosome, --range" in ended.err


def test_the_command_needs_no_store(tmp_path: Path) -> None:
    assert CommandLine(tmp_path).done("feature", "--gene", "A1BG").out == "[]\n"
    assert CommandLine(tmp_path).run("feature", "--range", "x").code == 65
