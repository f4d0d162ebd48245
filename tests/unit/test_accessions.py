import pytest

from app.errors import UnknownRefSeq
from app.records import Build
from app.variants import accessions
from app.variants.accessions import CONTIGS, builds_with_length, contig_named, display, is_par, locate

# Accession and length of some chromosomes, as printed by the Genomics Operations reference.
KNOWN = [
    (Build.GRCH37, 1, "NC_000001.10", 249250621),
    (Build.GRCH38, 1, "NC_000001.11", 248956422),
    (Build.GRCH37, 7, "NC_000007.13", 159138663),
    (Build.GRCH38, 14, "NC_000014.9", 107043718),
    (Build.GRCH37, 23, "NC_000023.10", 155270560),
    (Build.GRCH38, 24, "NC_000024.10", 57227415),
    (Build.GRCH37, 25, "NC_012920.1", 16569),
    (Build.GRCH38, 25, "NC_012920.1", 16569),
]


@pytest.mark.parametrize(("build", "contig", "ref_seq", "bases"), KNOWN)
def test_accessions_and_lengths_are_those_of_the_assembly_reports(build, contig, ref_seq, bases):
    assert accessions.accession(build, contig) == ref_seq
    assert accessions.length(build, contig) == accessions.sequence_length(ref_seq) == bases


@pytest.mark.parametrize("build", Build)
@pytest.mark.parametrize("contig", CONTIGS)
def test_every_contig_is_found_by_its_names_and_by_its_accession(build, contig):
    name, ref_seq = display(contig), accessions.accession(build, contig)
    for written in (name, f"chr{name}", f"CHR{name.lower()}", name.lower(), ref_seq, ref_seq.lower()):
        assert contig_named(written, build) == contig
    assert locate(ref_seq)[0] == contig


@pytest.mark.parametrize("name", ["M", "m", "MT", "mt", "chrM", "chrMT", "chrm", "NC_012920.1"])
def test_the_mitochondrial_genome_has_many_names(name):
    assert contig_named(name, Build.GRCH37) == contig_named(name, Build.GRCH38) == accessions.MT


@pytest.mark.parametrize(
    "name",
    ["23", "24", "25", "0", "01", "chr23", "", "chr", "chrUn_KI270302v1", "NC_000001.9", "1 ", "chrchr1", "GL000191.1"],
)
def test_other_names_are_no_primary_chromosome(name):
    assert contig_named(name, Build.GRCH38) is None


def test_an_accession_of_the_other_build_is_not_a_name_on_this_one():
    assert contig_named("NC_000001.10", Build.GRCH37) == 1
    assert contig_named("NC_000001.10", Build.GRCH38) is None


def test_only_the_mitochondrial_genome_belongs_to_both_builds():
    shared = [contig for contig in CONTIGS if len(locate(accessions.accession(Build.GRCH38, contig))[1]) == 2]
    assert shared == [accessions.MT]


@pytest.mark.parametrize("ref_seq", ["NC_000001.12", "nc_000001.11", "NM_000059.4", "NT_113889.1", "", "1"])
def test_locating_anything_else_says_that_it_is_not_valid(ref_seq):
    with pytest.raises(UnknownRefSeq) as caught:
        locate(ref_seq, parameter="ranges")
    assert (caught.value.diagnostics, caught.value.parameter) == (f"RefSeq({ref_seq}) is not valid", "ranges")
    with pytest.raises(UnknownRefSeq):
        accessions.sequence_length(ref_seq)


@pytest.mark.parametrize(
    ("build", "contig", "first_1based", "last_1based"),
    [
        (Build.GRCH38, 23, 10001, 2781479),
        (Build.GRCH38, 23, 155701383, 156030895),
        (Build.GRCH38, 24, 10001, 2781479),
        (Build.GRCH38, 24, 56887903, 57217415),
        (Build.GRCH37, 23, 60001, 2699520),
        (Build.GRCH37, 23, 154931044, 155260560),
        (Build.GRCH37, 24, 10001, 2649520),
        (Build.GRCH37, 24, 59034050, 59363566),
    ],
)
def test_pseudoautosomal_regions_end_where_they_are_published_to(build, contig, first_1based, last_1based):
    assert is_par(build, contig, first_1based - 1, last_1based)
    assert not is_par(build, contig, first_1based - 2, last_1based)
    assert not is_par(build, contig, first_1based - 1, last_1based + 1)
    assert is_par(build, contig, last_1based - 1, last_1based - 1)
    assert not is_par(build, contig, last_1based, last_1based)


def test_autosomes_have_no_pseudoautosomal_region():
    assert not is_par(Build.GRCH38, 1, 20000, 20001)


def test_a_length_tells_the_build():
    assert builds_with_length(1, 249250621) == {Build.GRCH37}
    assert builds_with_length(1, 248956422) == {Build.GRCH38}
    assert builds_with_length(25, 16569) == set(Build)
    assert builds_with_length(25, 16571) == set()
