"""From a document and the facts to findings. Pure: no database, no network, no clock."""
