"""What seeds hold: analysis of a seed ante by ante, and the search for seeds that hold what you want."""

from jaxtro.seeds.analysis import Plan, SeedReport, analyse, analyse_batch

__all__ = ["Plan", "SeedReport", "analyse", "analyse_batch"]
