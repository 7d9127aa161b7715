"""XML Schema packs: the syntax's own schema (`xsd`) and the Factur-X profile schemas (`facturx-…`)."""
