"""Why a plan says what it says: decisions, reasons, narrative."""
