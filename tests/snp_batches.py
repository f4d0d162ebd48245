"""Batches of SNP data, and definitions that are small enough to read."""

from __future__ import annotations

from typing import Any

from app.formats.pgx import Gene, Method, NamedAllele, PgxContent, Ploidy, Position

RS_PLAIN = Position("rs4244285", 10, 94781858, ("G", "A"), 96541615, ("G", "A"), "G")
RS_OTHER_REF = Position("rs776746", 7, 99672915, ("T", "C"), 99270538, ("T", "C"), "C")
RS_COMPLEMENTARY = Position("rs1057910", 10, 94981295, ("A", "T"), 96741052, ("A", "T"), "A")
RS_TURNED = Position("rs1111", 1, 1000, ("A", "C"), 2000, ("T", "G"), "T")
RS_DELETED = Position("rs2222", 1, 5000, ("CT", "C"), 6000, ("CT", "C"), "CT")
RS_ON_X = Position("rs1050828", 23, 154536001, ("C", "T"), 153764216, ("C", "T"), "C")
RS_ONLY_38 = Position("rs3333", 1, 9000, ("G", "T"))

CONTENT = PgxContent(
    genes=(
        Gene(
            "CYP2C19", "HGNC:2621", "PA124", 10, Method.PHENOTYPE,
            positions=(RS_PLAIN,),
            alleles=(
                NamedAllele("*1", ("G",), is_reference=True, function="Normal function"),
                NamedAllele("*2", ("A",), function="No function"),
            ),
        ),
        Gene("CYP3A5", "HGNC:2638", "PA131", 7, Method.PHENOTYPE, positions=(RS_OTHER_REF,)),
        Gene("CYP2C9", "HGNC:2623", "PA126", 10, Method.SCORE, positions=(RS_COMPLEMENTARY,)),
        Gene("ODD1", "", "", 1, Method.PHENOTYPE, positions=(RS_TURNED, RS_DELETED, RS_ONLY_38)),
        Gene("G6PD", "HGNC:4057", "PA28469", 23, Method.PHENOTYPE, positions=(RS_ON_X,), ploidy=Ploidy.X),
    )
)  # fmt: skip


def sample(sample_id: str = "P1", *genotypes: tuple[str, str], **more: Any) -> dict[str, Any]:
    """Return one entry of ``data``."""
    given = genotypes or (("rs4244285", "G/A"),)
    snps = [{"rs": rs, "genotype": genotype, "assay": "ABC1", "gene": "CYP2C19"} for rs, genotype in given]
    return {"sample_id": sample_id, "snp": snps, **more}


def batch(*samples: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Return a body."""
    body = {"batch_id": "B1", "date": "2017-01-20T10:10:00+0200", "data": list(samples or (sample(),))}
    return body | more
