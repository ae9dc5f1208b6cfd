"""Plans for whole populations on Spark; needs the extra `carepath[spark]`."""

from carepath.population.spark.frames import apply_many

__all__ = ["apply_many"]
