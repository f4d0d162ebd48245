"""The data of the benchmarks are the same every time, and what they claim to be."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path

import numpy as np
import pytest

from app.records import Build, LiftStatus
from app.variants.accessions import accession
from app.variants.normalize import justify
from app.variants.reference import InMemoryReference
from bench import generate, releases
from bench.gene_load import structural_calls
from bench.genomes import CONTIG, SyntheticGenome, synthetic_genome


@pytest.fixture(scope="module")
def genome() -> SyntheticGenome:
    return synthetic_genome(1_050_000)


def test_a_genome_is_the_same_every_time(genome):
    again = synthetic_genome(1_050_000)
    assert again.blocks == genome.blocks
    assert again.stretches == genome.stretches
    assert synthetic_genome(1_050_000, seed=12).stretches != genome.stretches


def test_chains_lead_to_equal_bases_on_both_builds(genome, tmp_path):
    placed = genome.in_memory(tmp_path)
    start, bases = genome.sequence(Build.GRCH37)
    positions = start + np.arange(1, len(bases) - 1, 97)
    refs = [bases[position - start] for position in positions.tolist()]
    batch = placed.placer.place_batch(Build.GRCH37, CONTIG, positions, refs, ["A" if r != "A" else "C" for r in refs])
    assert np.mean(batch.status == LiftStatus.OK) > 0.9  # the others lie in gaps between blocks
    assert np.mean(batch.status == LiftStatus.REF_CHANGED) < 0.001


def test_chains_have_gaps_and_inversions(genome, tmp_path):
    placed = genome.in_memory(tmp_path)
    for build in Build:
        forward, reverse = 0, 0
        for block in genome.blocks:
            middle = block.start(build) + block.size // 2
            lifted = placed.liftover.lift_interval(build, CONTIG, middle, middle + 1)
            assert lifted.status is LiftStatus.OK
            assert lifted.reverse is block.reverse
            forward, reverse = forward + (not block.reverse), reverse + block.reverse
        assert reverse >= 1
        assert forward > 10
    sizes = [
        (b.start37 - a.start37 - a.size, b.start38 - a.start38 - a.size) for a, b in itertools.pairwise(genome.blocks)
    ]
    assert any(gap37 and not gap38 for gap37, gap38 in sizes)
    assert any(gap38 and not gap37 for gap37, gap38 in sizes)


def test_the_spectrum_of_the_cohort_has_its_exponent():
    probabilities = generate.spectrum(2_500)
    assert len(probabilities) == 5_000
    assert probabilities.sum() == pytest.approx(1)
    ratios = probabilities[[1, 9, 99, 999]] / probabilities[0]
    assert ratios == pytest.approx(np.array([2.0, 10, 100, 1000]) ** -1.276)


def test_as_many_sites_as_the_1000_genomes_project_found():
    assert generate.expected_sites(2_504) == pytest.approx(28_000, rel=0.01)


def test_a_cohort_is_the_same_every_time(genome):
    first, second = generate.cohort(40, genome), generate.cohort(40, genome)
    assert (first.refs, first.alts) == (second.refs, second.alts)
    for one, other in zip(first.batches(), second.batches(), strict=True):
        assert all(np.array_equal(getattr(one, c), getattr(other, c)) for c in ("row", "sample", "copies", "depth"))
    assert generate.cohort(40, genome, seed=8).alts != first.alts


def test_subjects_of_a_cohort_have_the_calls_of_a_genome(genome):
    cohort = generate.cohort(600, genome)
    batches = list(cohort.batches())
    assert [(batch.first, batch.subjects) for batch in batches] == [(0, 500), (500, 100)]
    calls = sum(len(batch.row) for batch in batches) / cohort.subjects
    assert calls == pytest.approx(generate.CALLS_PER_SUBJECT, rel=0.05)
    rows = np.concatenate([batch.row for batch in batches])
    copies = np.concatenate([batch.copies for batch in batches])
    found = np.bincount(rows, copies, minlength=len(cohort.copies))
    common = cohort.copies > 200
    assert common.sum() > 50
    assert found[common] == pytest.approx(cohort.copies[common], rel=0.35)
    assert set(copies.tolist()) == {1, 2}


def test_most_sites_are_rare_and_single_bases(genome):
    cohort = generate.cohort(600, genome)
    expected = generate.spectrum(600)
    assert np.mean(cohort.copies == 1) == pytest.approx(expected[0], abs=0.02)
    single = np.mean([len(ref) == len(alt) == 1 for ref, alt in zip(cohort.refs, cohort.alts, strict=True)])
    assert single == pytest.approx(0.88, abs=0.02)
    assert np.all(np.diff(cohort.positions) > 0)


def test_the_vcf_is_the_same_every_time_and_agrees_with_the_reference(genome, tmp_path):
    texts = []
    for name in ("first", "second"):
        vcf = generate.single_vcf(tmp_path / f"{name}.vcf.gz", 1_500, genome)
        texts.append(gzip.decompress(vcf.path.read_bytes()).decode())
        assert Path(f"{vcf.path}.tbi").is_file()
    assert texts[0] == texts[1]
    start, bases = genome.sequence(Build.GRCH37)
    records = [line.split("\t") for line in texts[0].splitlines() if not line.startswith("#")]
    assert len(records) == vcf.records == 1_500
    for _, position_1based, _, ref, alt, _, filters, info, keys, cell in records:
        at = int(position_1based) - 1 - start
        assert bases[at : at + len(ref)] == ref != alt
        assert (filters, keys) == ("PASS", "GT:AD:DP:GQ:PL")
        assert info.count(";") == 11
        genotype, depths, depth, *_ = cell.split(":")
        assert genotype in ("0/1", "1/1")
        assert sum(map(int, depths.split(","))) == int(depth)


def test_a_genome_too_short_for_a_vcf_is_refused(genome, tmp_path):
    with pytest.raises(ValueError, match="too short"):
        generate.single_vcf(tmp_path / "a.vcf.gz", 10_000, genome)


def test_repeat_indels_are_the_same_every_time_and_roll():
    sequence, indels = generate.repeat_indels(300)
    assert generate.repeat_indels(300) == (sequence, indels)
    ref_seq = accession(Build.GRCH37, CONTIG)
    reference = InMemoryReference({ref_seq: [(50_000, sequence)]})
    for indel in indels:
        assert sequence[indel.position : indel.position + len(indel.ref)] == indel.ref
        found = justify(reference, ref_seq, 50_000 + indel.position, indel.ref, indel.alt)
        assert found.justified
        assert found.left + found.right > 0


def test_megabases_of_one_cohort_are_different_ones():
    genome = synthetic_genome(2 * generate.WINDOW)
    first, second = (generate.cohort(40, genome, megabase=megabase) for megabase in range(2))
    assert first.positions[-1] < genome.sequence(Build.GRCH37)[0] + generate.WINDOW <= second.positions[0]
    assert first.copies.tolist() != second.copies.tolist()
    assert first.refs[:20] != second.refs[:20]


def test_structural_calls_are_those_of_the_batch_and_the_same_every_time(genome):
    cohort = generate.cohort(600, genome)
    first, second = cohort.batches()
    rows = structural_calls(cohort, second)
    assert rows == structural_calls(cohort, second) != structural_calls(cohort, first)
    assert all(0 <= sample < second.subjects for row in rows for sample in row.samples)
    assert {genotype for row in rows for genotype in row.genotypes} == {0, 1}
    of_first = structural_calls(cohort, first)
    calls = sum(len(row.samples) for batch in (of_first, rows) for row in batch) / cohort.subjects
    assert 20 < calls < 60
    # A site is the same for all batches, or its carriers would not add up.
    sites = [{row.line_1based: row.allele for row in batch} for batch in (of_first, rows)]
    shared = sites[0].keys() & sites[1].keys()
    assert len(shared) > 50
    assert all(sites[0][line] == sites[1][line] for line in shared)


def test_a_release_is_the_same_every_time_and_has_the_skew_that_it_claims(genome, tmp_path):
    release = releases.synthetic_release(tmp_path / "a.tsv", 3_000, genome, conditions=40)
    again = releases.synthetic_release(tmp_path / "b.tsv", 3_000, genome, conditions=40)
    assert (tmp_path / "a.tsv").read_bytes() == (tmp_path / "b.tsv").read_bytes()
    assert (again.refs, again.targets.tolist()) == (release.refs, release.targets.tolist())
    head, *lines = (tmp_path / "a.tsv").read_text("utf-8").splitlines()
    column = head.split("\t").index
    rows = [line.split("\t") for line in lines]
    targets: dict[str, set[str]] = {}
    for row in rows:
        for code in row[column("phenotypes.code")].split(" ; "):
            targets.setdefault(code, set()).add(row[column("b37_spdi")])
    assert [len(targets.get(releases.code_of(one), ())) for one in range(40)] == release.targets.tolist()
    assert len(rows) == 3_000
    assert 2_490 <= len({row[column("b37_spdi")] for row in rows}) <= 2_500
    assert 0.3 < sum(row[column("phenotypes.display")].startswith("not provided") for row in rows) / 3_000 < 0.36
    assert np.median(release.targets) < release.targets.max() / 10
    assert release.targets[release.condition_with(50)] == min(release.targets.tolist(), key=lambda n: abs(n - 50))
