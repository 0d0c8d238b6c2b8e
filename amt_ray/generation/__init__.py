"""From a sentence to a piece: request, plan, constrained sampling, `Composer`."""
