"""The demo data agree with themselves: truth table, reference windows, chains, VCFs, tables and SOURCES.md."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterator

import pytest
from pyliftover import LiftOver

from tests.demo_files import (
    BUILDS,
    DATA,
    DEFINING,
    DEMO,
    MT,
    OTHER,
    Change,
    Record,
    Windows,
    chain_path,
    contextual,
    contig_name,
    haplotypes,
    listed,
    place,
    records,
    reverse_complement,
    rows,
    spdi,
    structural,
    variants,
)

VARIANTS = [pytest.param(row, id=row["id"]) for row in variants()]
STRUCTURAL = [pytest.param(row, id=row["id"]) for row in structural()]
TESTS = [row for row in rows(DEMO / "manifest.csv") if row["vcf_filename"]]
VCFS = [pytest.param(row, id=row["test_id"]) for row in TESTS]
MANIFEST_COLUMNS = [
    *("vcf_filename", "ref_build", "patient_id", "test_date", "test_id", "specimen_id", "genomic_source_class"),
    *("ratio_ad_dp", "sample_position", "studied_bed", "uncallable_bed", "dna_change_types", "study_type"),
]
PAR = {"GRCh37": ((60000, 2699520), (154931043, 155260560)), "GRCh38": ((10000, 2781479), (155701382, 156030895))}


@pytest.fixture(scope="module")
def windows() -> dict[str, Windows]:
    return {build: Windows(DEMO / "reference" / f"{build}.fa") for build in BUILDS}


@pytest.fixture(scope="module")
def liftover() -> dict[str, LiftOver]:
    return {build: LiftOver(str(chain_path(build))) for build in BUILDS}


def accessions(build: str) -> dict[str, str]:
    """Return contig name → accession from the FASTA headers of a build."""
    return {contig_name(name): name for name, _, _ in Windows(DEMO / "reference" / f"{build}.fa").windows}


def lengths(build: str) -> dict[str, int]:
    """Return contig name → length from the whole-genome BED of a build."""
    lines = (DEMO / "bed" / f"whole-genome.{build}.bed").read_text(encoding="ascii").split("\n")[:-1]
    lines = [line for line in lines if not line.startswith("#")]
    bare = {line.split("\t")[0].removeprefix("chr"): int(line.split("\t")[2]) for line in lines}
    return {("MT" if name == "M" else name): length for name, length in bare.items()}


def changes(test: dict[str, str], record: Record, windows: dict[str, Windows]) -> dict[int, Change]:
    """Return allele number → contextual change of the sequence alleles of a record."""
    build = test["ref_build"]
    return {
        number: contextual(
            windows[build], Change(accessions(build)[record.contig], record.position_1based - 1, record.ref, alt)
        )
        for number, alt in enumerate(record.alts, start=1)
        if not alt.startswith("<") and alt != "*"
    }


def statement(test: dict[str, str], record: Record, allele: int, *, male: bool) -> str | None:
    """Return what the call says about an ALT allele in the words of the truth table, None if it does not carry it."""
    called = record.alleles
    if allele not in called:
        return None
    if record.filter != "PASS":
        return "filtered"
    depths = [int(depth) for depth in record.call["AD"].split(",")]
    frequency = float(record.call["AF"]) if "AF" in record.call else depths[allele] / sum(depths)
    if test["genomic_source_class"] == "somatic":
        return f"somatic {frequency:g}"
    if record.contig == "MT":
        return "homoplasmic" if frequency > float(test["ratio_ad_dp"]) else "heteroplasmic"
    if None in called:
        return "unknown"
    if len(set(called)) > 1:
        return "heterozygous"
    within_par = any(low <= record.position_1based - 1 < high for low, high in PAR[test["ref_build"]])
    if len(called) == 1 or (male and record.contig == "X" and not within_par):
        return "hemizygous"
    return "homozygous"


# --- SOURCES.md -------------------------------------------------------------------------------------------------------


def source_rows() -> dict[str, list[str]]:
    lines = (DATA / "SOURCES.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    assert cells[0] == ["file", "what", "origin", "licence", "sha256"]
    assert len({row[0] for row in cells}) == len(cells), "a file is listed twice"
    return {row[0]: row for row in cells[1:]}


def test_every_data_file_has_a_source_row_and_every_row_a_file():
    files = {str(path.relative_to(DATA).as_posix()) for path in DATA.rglob("*") if path.is_file()} - {"SOURCES.md"}
    assert set(source_rows()) == files


def test_source_rows_are_filled_and_the_checksums_match():
    for name, row in source_rows().items():
        assert len(row) == 5, name
        assert all(row), name
        assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == row[4], name


def test_the_readme_says_that_the_family_is_synthetic():
    assert "The family is synthetic" in (DEMO / "README.md").read_text(encoding="utf-8")


# --- truth table ------------------------------------------------------------------------------------------------------


def test_variant_ids_and_placements_are_unique():
    table = variants()
    assert len({row["id"] for row in table}) == len(table)
    assert len({(row["grch37_spdi"], row["grch38_spdi"]) for row in table}) == len(table)
    assert all(row["gene"] and row["name"] and row["note"] and row["source"] for row in table)


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("row", VARIANTS)
def test_the_deleted_bases_are_those_of_the_reference(row, build, windows):
    change = spdi(row, build)
    assert (
        windows[build].fetch(change.ref_seq, change.position, change.position + len(change.deleted)) == change.deleted
    )


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("row", VARIANTS)
def test_the_placement_is_contextual(row, build, windows):
    change = spdi(row, build)
    if change.deleted != change.inserted:
        assert contextual(windows[build], change) == change


@pytest.mark.parametrize("row", VARIANTS)
def test_indels_have_reference_bases_on_both_sides(row, windows):
    for build in BUILDS:
        change = spdi(row, build)
        if len(change.deleted) != len(change.inserted):
            end = change.position + len(change.deleted)
            assert windows[build].fetch(change.ref_seq, change.position - 20, end + 20)


@pytest.mark.parametrize("source", BUILDS)
@pytest.mark.parametrize("row", VARIANTS)
def test_the_two_placements_lift_onto_each_other(row, source, windows, liftover):
    here, there = spdi(row, source), spdi(row, OTHER[source])
    if here.ref_seq == MT:
        assert here == there
        return
    ends = (here.position, here.position + max(len(here.deleted), 1) - 1)
    hits = [liftover[source].convert_coordinate(contig_name(here.ref_seq), position) for position in ends]
    assert [len(hit) for hit in hits] == [1, 1]
    (contig, first, strand, _), (_, last, other_strand, _) = hits[0][0], hits[1][0]
    assert (contig, strand) == (contig_name(there.ref_seq), other_strand)
    assert min(first, last) == there.position
    assert abs(last - first) == abs(ends[1] - ends[0])
    alleles = (here.deleted, here.inserted)
    lifted = alleles if strand == "+" else tuple(reverse_complement(bases) for bases in alleles)
    target = windows[OTHER[source]].fetch(there.ref_seq, there.position, there.position + len(here.deleted))
    assert there.deleted == target
    if here.deleted != here.inserted and target == lifted[0]:
        assert there.inserted == lifted[1]
    elif here.deleted != here.inserted:
        # The bases of the builds differ: the inserted allele stays what it is.
        assert (there.inserted, row["gene"]) == (lifted[1], "F5")


def test_one_locus_lies_on_the_opposite_strand_and_one_has_another_base():
    table = {row["id"]: row for row in variants()}
    assert spdi(table["HJV-G320V"], "GRCh38").inserted == reverse_complement(
        spdi(table["HJV-G320V"], "GRCh37").inserted
    )
    assert spdi(table["F5-Leiden"], "GRCh37").deleted == spdi(table["F5-Leiden"], "GRCh38").inserted


# --- VCF files --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("test", VCFS)
def test_ref_alleles_equal_the_reference_windows(test, windows):
    build = test["ref_build"]
    found = list(records(DEMO / test["vcf_filename"]))
    assert found
    for record in found:
        start = record.position_1based - 1
        bases = windows[build].fetch(accessions(build)[record.contig], start, start + len(record.ref))
        # Callers that count reads write no base before a change of copies whose ends they do not know.
        unknown = "IMPRECISE" in record.fields and record.ref == "N"
        assert unknown or bases == record.ref, record


@pytest.mark.parametrize("test", VCFS)
def test_records_are_sorted_and_calls_have_one_value_per_allele(test):
    order = [*map(str, range(1, 23)), "X", "Y", "MT"]
    places = []
    for record in records(DEMO / test["vcf_filename"]):
        places.append((order.index(record.contig), record.position_1based))
        assert all(allele is None or allele <= len(record.alts) for allele in record.alleles)
        if "AD" in record.call:
            depths = [int(depth) for depth in record.call["AD"].split(",")]
            assert (len(depths), sum(depths)) == (1 + len(record.alts), int(record.call["DP"]))
        assert ("|" in record.call["GT"]) == ("PS" in record.call)
    assert places == sorted(places)


@pytest.mark.parametrize("test", VCFS)
def test_headers_name_the_build_and_the_length_of_every_contig(test):
    text = (DEMO / test["vcf_filename"]).read_text(encoding="ascii")
    assert re.match(r"##fileformat=VCFv4\.[23]\n", text)
    assert f"##reference={test['ref_build']}\n" in text
    assert "synthetic" in text
    found = re.findall(r"##contig=<ID=(?:chr)?(\w+),length=(\d+),assembly=(\w+)>", text)
    assert {("MT" if name == "M" else name): int(length) for name, length, _ in found} == lengths(test["ref_build"])
    assert {assembly for _, _, assembly in found} == {test["ref_build"]}


def test_carriers_of_the_truth_table_are_what_the_vcf_files_say(windows):
    male = {row["subject_id"] for row in rows(DEMO / "subjects.csv") if row["sex"] == "male"}
    said: dict[str, set[str]] = defaultdict(set)
    for test in TESTS:
        for record in records(DEMO / test["vcf_filename"]):
            for allele, change in changes(test, record, windows).items():
                word = statement(test, record, allele, male=test["patient_id"] in male)
                said[f"{test['ref_build']} {change}"] |= {f"{test['test_id']}={word}"} if word else set()
    for row in variants():
        found = {text for build in BUILDS for text in said.pop(f"{build} {spdi(row, build)}", set())}
        assert found == set(filter(None, row["carriers"].split("; "))), row["id"]
    assert not said, "changes that the truth table does not list"


def test_the_two_tests_of_the_child_agree_but_for_the_base_that_differs_between_the_builds():
    genome, panel = "demo-child-wgs=", "demo-child-panel="
    by_test = {
        test: {row["id"]: text for row in variants() for text in row["carriers"].split("; ") if text.startswith(test)}
        for test in (genome, panel)
    }
    genome_calls = {name: text.removeprefix(genome) for name, text in by_test[genome].items()}
    panel_calls = {name: text.removeprefix(panel) for name, text in by_test[panel].items()}
    assert genome_calls.pop("F5-Leiden") == panel_calls.pop("F5-usual-allele-on-GRCh37") == "heterozygous"
    assert genome_calls.pop("MTHFR-A222V") == "filtered"
    assert genome_calls == panel_calls


def test_indels_are_spelled_differently_on_the_two_builds():
    spellings = defaultdict(set)
    for test in TESTS:
        for record in records(DEMO / test["vcf_filename"]):
            if record.contig == "17" and len(record.alts[0]) > len(record.ref):
                spellings[test["ref_build"]].add((record.ref, record.alts[0]))
    assert spellings == {"GRCh38": {("T", "TG")}, "GRCh37": {("G", "GG"), ("GGG", "GGGG")}}


def test_the_odd_records_are_there():
    found = [(test["test_id"], record) for test in TESTS for record in records(DEMO / test["vcf_filename"])]
    genotypes = {record.call["GT"] for _, record in found}
    assert {"./1", "./.", "0/0", "1/2", "0/2", "0|1", "1|0", "1"} <= genotypes
    assert any("*" in record.alts for _, record in found)
    assert {alt for _, record in found for alt in record.alts if alt.startswith("<")} == {"<DEL>", "<DUP>", "<CNV>"}
    assert {record.filter for _, record in found} == {"PASS", "LowQual", "strand_bias"}


# --- structural variants ----------------------------------------------------------------------------------------------


def structural_records() -> Iterator[tuple[dict[str, str], Record]]:
    """Yield the tests with their records of one symbolic allele."""
    for test in TESTS:
        for record in records(DEMO / test["vcf_filename"]):
            if any(alt.startswith("<") for alt in record.alts):
                assert len(record.alts) == 1
                yield test, record


def test_structural_carriers_are_what_the_vcf_files_say():
    said: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for test, record in structural_records():
        build, [alt] = test["ref_build"], record.alts
        where = f"{accessions(build)[record.contig]}:{record.position_1based - 1}-{record.fields['END']}"
        assert record.alleles == [0, 1]
        state = "somatic" if test["genomic_source_class"] == "somatic" else "heterozygous"
        said[build, where, alt.strip("<>"), record.call["CN"]].add(f"{test['test_id']}={state}")
    for row in structural():
        facts = row["kind"], row["copy_number"]
        found = {text for build in BUILDS for text in said.pop((build, row[build.lower()], *facts), set())}
        assert found == set(listed(row["carriers"])), row["id"]
    assert not said, "structural variants that the truth table does not list"


def test_one_structural_variant_is_called_on_both_builds():
    builds = {test["test_id"]: test["ref_build"] for test in TESTS}
    called = [{builds[text.partition("=")[0]] for text in listed(row["carriers"])} for row in structural()]
    assert set(BUILDS) in called
    assert {"GRCh37"} in called
    assert {"GRCh38"} in called


def test_structural_rows_are_filled_and_say_whose_the_breakpoints_are():
    table = structural()
    assert len({row["id"] for row in table} | {row["id"] for row in variants()}) == len(table) + len(variants())
    assert all(all(row.values()) for row in table)
    assert {row["breakpoints"] for row in table} == {"published", "invented"}


@pytest.mark.parametrize("source", BUILDS)
@pytest.mark.parametrize("row", STRUCTURAL)
def test_the_ends_of_structural_variants_lift_onto_each_other(row, source, liftover):
    (ref_seq, start, end), (target, low, high) = place(row, source), place(row, OTHER[source])
    hits = [liftover[source].convert_coordinate(contig_name(ref_seq), position) for position in (start, end - 1)]
    expected = [[(contig_name(target), position, "+")] for position in (low, high - 1)]
    assert [[hit[:3] for hit in found] for found in hits] == expected


def test_fields_of_structural_records_agree(windows):
    for test, record in structural_records():
        fields, [alt] = record.fields, record.alts
        assert f"<{fields['SVTYPE']}>" == alt
        length = int(fields["END"]) - record.position_1based
        assert fields.get("SVLEN", str(length)) == str(-length if alt == "<DEL>" else length)
        if "HOMSEQ" in fields:
            accession, start = accessions(test["ref_build"])[record.contig], record.position_1based
            same = windows[test["ref_build"]].fetch(accession, start, start + len(fields["HOMSEQ"]))
            assert (same, fields["CIPOS"]) == (fields["HOMSEQ"], f"0,{fields['HOMLEN']}")


# --- genotypes --------------------------------------------------------------------------------------------------------


def carrying(name: str) -> set[str]:
    """Return the tests whose files have a variant of one of the truth tables."""
    [row] = [row for row in (*variants(), *structural()) if row["id"] == name]
    return {test for test, _, state in (text.partition("=") for text in listed(row["carriers"])) if state != "filtered"}


def star_alleles(test: str) -> dict[str, list[str]]:
    """Return by gene the star alleles that the variants of a test tell from ``*1``."""
    found: dict[str, list[str]] = defaultdict(list)
    for allele, names in DEFINING.items():
        if all(test in carrying(name) for name in names):
            found[allele.partition(" ")[0]].append(allele)
    return found


def test_star_alleles_are_those_of_the_variants_of_the_same_test():
    typed: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for row in haplotypes():
        if row["gene_symbol"] != "HLA-B":
            typed[row["test_id"]][row["gene_symbol"]] = sorted(listed(row["haplotypes"]))
    assert set(typed) == {test["test_id"] for test in TESTS if test["study_type"] == "WGS"} - {"demo-mother-tumour"}
    for test, genes in typed.items():
        expected = {gene: [*found, f"{gene} *1"][:2] for gene, found in star_alleles(test).items()}
        assert genes == {gene: sorted(pair) for gene, pair in expected.items()}, test


def test_genotypes_are_named_by_their_haplotypes():
    for row in haplotypes():
        pair, gene = listed(row["haplotypes"]), row["gene_symbol"]
        if gene == "HLA-B":
            assert row["genotype_code"].rpartition("#")[2] == "+".join(pair)
            assert pair == listed(row["hla_alleles"])
        else:
            assert row["genotype_code"] == f"{gene} {'/'.join(allele.removeprefix(f'{gene} ') for allele in pair)}"


def test_genotypes_belong_to_tests_of_the_manifest_or_to_one_of_their_own():
    known = {(row["patient_id"], row["test_id"], row["specimen_id"]) for row in rows(DEMO / "manifest.csv")}
    given = {(row["subject_id"], row["test_id"], row["specimen_id"]) for row in haplotypes()}
    assert given - known == {("demo-child", "demo-child-hla", "demo-child-saliva")}
    assert len(given & known) == 4


# --- chains -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", BUILDS)
def test_chains_hold_one_consistent_block_each_within_contigs_of_the_right_length(source):
    blocks = [block.split() for block in chain_path(source).read_text(encoding="ascii").strip().split("\n\n")]
    previous: dict[str, int] = defaultdict(int)
    for word, score, contig, length, plus, start, end, target, target_length, strand, low, high, _, size in blocks:
        assert (word, plus, target) == ("chain", "+", contig)
        assert strand in {"+", "-"}
        assert (int(length), int(target_length)) == (lengths(source)[contig], lengths(OTHER[source])[contig])
        assert int(end) - int(start) == int(high) - int(low) == int(size) == int(score) > 0
        assert previous[contig] <= int(start) < int(end) <= int(length)
        assert 0 <= int(low) < int(high) <= int(target_length)
        previous[contig] = int(end)


def test_the_cohort_interval_lifts_there_and_back_but_for_the_gap(liftover):
    gap = range(50364777, 50414777)
    for position in (*range(50300000, 51000000, 997), gap[0] - 1, gap[0], gap[-1], gap[-1] + 1):
        there = liftover["GRCh37"].convert_coordinate("22", position)
        assert len(there) == (0 if position in gap else 1)
        for contig, target, strand, _ in there:
            back = liftover["GRCh38"].convert_coordinate(contig, target)
            assert [(name, start, sign) for name, start, sign, _ in back] == [("22", position, "+")]
            assert strand == "+"


# --- tables -----------------------------------------------------------------------------------------------------------


def test_the_manifest_declares_seven_tests_of_known_subjects():
    manifest = rows(DEMO / "manifest.csv")
    assert list(manifest[0]) == MANIFEST_COLUMNS
    assert {row["patient_id"] for row in manifest} == {row["subject_id"] for row in rows(DEMO / "subjects.csv")}
    assert len({row["test_id"] for row in manifest}) == len(manifest) == 7
    assert {row["genomic_source_class"] for row in manifest} == {"germline", "somatic"}
    assert {row["test_id"] for row in manifest if not row["vcf_filename"]} == {"demo-aunt-brca1"}
    assert {str(path.relative_to(DEMO)) for path in (DEMO / "family").iterdir()} == {
        row["vcf_filename"] for row in TESTS
    }


def test_regions_of_the_manifest_lie_within_the_chromosomes_of_the_build_and_do_not_overlap():
    used = set()
    for row in rows(DEMO / "manifest.csv"):
        for name in filter(None, (row["studied_bed"], row["uncallable_bed"])):
            used.add(DEMO / name)
            assert row["ref_build"] in name
            previous = ("", 0)
            for line in (DEMO / name).read_text(encoding="ascii").splitlines():
                if line.startswith("#"):
                    continue
                chrom, start, end, *_ = line.split("\t")
                contig = chrom.removeprefix("chr").replace("M", "MT") if chrom.startswith("chr") else chrom
                assert (previous[1] if previous[0] == contig else 0) <= int(start) < int(end)
                assert int(end) <= lengths(row["ref_build"])[contig]
                previous = (contig, int(end))
    assert used == set((DEMO / "bed").iterdir())


def test_the_panel_covers_every_call_of_the_panel_test():
    panel = [line.split("\t") for line in (DEMO / "bed" / "panel.GRCh37.bed").read_text(encoding="ascii").splitlines()]
    for record in records(DEMO / "family" / "demo-child.GRCh37.vcf"):
        assert any(
            contig == record.contig and int(start) < record.position_1based <= int(end)
            for contig, start, end, _ in panel
        ), record


def test_the_cohort_file_is_the_unmodified_one():
    with gzip.open(DEMO / "cohort" / "chr22.vcf.gz", "rt", encoding="ascii") as stream:
        lines = stream.read().splitlines()
    header = next(line for line in lines if line.startswith("#CHROM"))
    assert header.split("\t")[9:] == ["HG00096", "HG00097", "HG00099", "HG00100", "HG00101"]
    assert sum(not line.startswith("#") for line in lines) == 10376
