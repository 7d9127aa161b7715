"""What a failed call means, in plain words: the OAuth application, its subscription, the technical account, or us.

PISTE and Chorus Pro answer bare numbers; which of three secrets is wrong was the commonest question of users
(domain facts 6: OCA #349, #410, #425). The table of answers is in domain facts 1.2.
"""

from __future__ import annotations

from gateway.domain.finding import Text, printable


def unreachable(host: str, reason: str) -> Text:
    return Text(
        f"Chorus Pro ({host}) est injoignable : {_IN_FRENCH.get(reason, reason)}. Rien n'a été déposé ;"
        " nouvel essai plus tard.",
        f"Chorus Pro ({host}) is out of reach: {reason}. Nothing was deposited; it will be tried again.",
    )


def uncertain(service: str, reason: str) -> Text:
    return Text(
        f"La réponse de Chorus Pro à {service} est perdue : {_IN_FRENCH.get(reason, reason)}. Le dépôt a pu"
        " arriver : la passerelle cherche d'abord ce qu'il en est, et ne renvoie rien avant.",
        f"The answer of Chorus Pro to {service} is lost: {reason}. The deposit may have arrived: the gateway looks"
        " for it first, and repeats nothing before.",
    )


def wrong_application(client_id: str) -> Text:
    shown = printable(client_id)[:8]
    return Text(
        f"PISTE refuse l'application OAuth ({shown}…) : l'identifiant ou le secret est faux (PISTE ne dit pas"
        " lequel). → Prenez les « OAuth Credentials » de l'application, pas les « API Keys », et ceux du même"
        " environnement (qualification ou production).",
        f"PISTE refuses the OAuth application ({shown}…): its id or its secret is wrong (PISTE does not say which)."
        " → Take the application's “OAuth Credentials”, not its “API Keys”, and those of the same environment"
        " (qualification or production).",
    )


def token_refused(status: int, said: str) -> Text:
    return Text(
        f"PISTE ne délivre pas de jeton (HTTP {status}{_quoted(said)}). → Vérifiez l'application sur PISTE :"
        " activée, dans le bon environnement, avec le bon « scope ».",
        f"PISTE issues no token (HTTP {status}{_quoted(said)}). → Check the application on PISTE: enabled, in the"
        " right environment, with the right scope.",
    )


def not_subscribed(service: str) -> Text:
    return Text(
        f"PISTE refuse l'accès à {service} (403 sans texte) : l'application OAuth n'est pas abonnée à cette"
        " API. → Sur PISTE, acceptez les CGU de l'API et abonnez l'application, dans le même environnement.",
        f"PISTE refuses access to {service} (403 without a text): the OAuth application is not subscribed to this"
        " API. → On PISTE, accept the terms of the API and subscribe the application, in the same environment.",
    )


def forbidden(service: str, account: str, said: str) -> Text:
    return Text(
        f"Chorus Pro interdit {service} au compte technique {account}{_quoted(said)}. → Vérifiez les habilitations"
        " du compte et son rattachement à la structure, puis : gateway issuers check",
        f"Chorus Pro forbids {service} to the technical account {account}{_quoted(said)}. → Check what the account"
        " may do and which structure it is attached to, then: gateway issuers check",
    )


def token_not_accepted(service: str, login: str) -> Text:
    return Text(
        f"PISTE n'accepte pas pour {service} un jeton qu'il vient de délivrer. → Vérifiez que token_url et"
        " api_url sont du même environnement (qualification ou production) ; sinon, le mot de passe du compte"
        f" technique {login}.",
        f"PISTE does not accept for {service} a token that it has just issued. → Check that token_url and api_url"
        " are of the same environment (qualification or production); else the password of the technical account"
        f" {login}.",
    )


def wrong_account(siret: str, login: str) -> Text:
    return Text(
        f"Chorus Pro refuse le compte technique {login} de l'émetteur {siret} (l'application OAuth, elle, a été"
        " acceptée). Cause probable : mot de passe changé ou expiré (424 jours). → Le gestionnaire principal le"
        f" renouvelle sur le portail, puis : gateway issuers check {siret}",
        f"Chorus Pro refuses the technical account {login} of issuer {siret} (the OAuth application itself was"
        " accepted). Likely: the password was changed or expired (424 days). → Set it with the main manager on the"
        f" portal, then: gateway issuers check {siret}",
    )


def no_account(siret: str, account: str) -> Text:
    return Text(
        f"L'émetteur {siret} renvoie au compte technique « {account} », qui n'est pas configuré. → Donnez son"
        " identifiant et son mot de passe dans la configuration.",
        f"Issuer {siret} names the technical account “{account}”, which is not configured. → Give its login and"
        " password in the configuration.",
    )


def unknown_structure(siret: str) -> Text:
    return Text(
        f"Chorus Pro ne connaît aucune structure {siret}. → Vérifiez le SIRET de l'émetteur, puis :"
        f" gateway issuers check {siret}",
        f"Chorus Pro knows no structure {siret}. → Check the issuer's SIRET, then: gateway issuers check {siret}",
    )


def too_many_calls(service: str) -> Text:
    return Text(
        f"PISTE limite le nombre d'appels ({service}, 429). Rien n'a été déposé ; nouvel essai plus tard.",
        f"PISTE limits the number of calls ({service}, 429). Nothing was deposited; it will be tried again.",
    )


def closed(service: str) -> Text:
    return Text(
        f"Chorus Pro est fermé pour le moment ({service}, 503 avec une heure de retour). Nouvel essai plus tard.",
        f"Chorus Pro is closed for now ({service}, 503 with a time to come back). It will be tried again.",
    )


def misunderstood(service: str, status: int, said: str) -> Text:
    return Text(
        f"Chorus Pro ne comprend pas l'appel {service} (HTTP {status}{_quoted(said)}). Rien n'a été déposé."
        " → Vérifiez l'adresse de l'API dans la configuration (gateway doctor) ; si elle est juste, signalez-le :"
        " c'est un défaut de la passerelle.",
        f"Chorus Pro does not understand the call {service} (HTTP {status}{_quoted(said)}). Nothing was deposited."
        " → Check the address of the API in the configuration (gateway doctor); if it is right, report it: the"
        " fault is the gateway's.",
    )


def listing_does_not_hold(service: str, seen: int, total: int) -> Text:
    return Text(
        f"Chorus Pro annonce {total} résultats à {service} mais n'en donne que {seen}, page après page. La liste"
        " n'est pas prise pour complète ; nouvel essai plus tard.",
        f"Chorus Pro announces {total} results of {service} but gives only {seen}, page after page. The list is"
        " not taken as whole; it will be tried again.",
    )


def _quoted(said: str) -> str:
    return f", « {said} »" if said else ""


#: The reasons of `wire.py`, which are English because they are logged.
_IN_FRENCH = {
    "its certificate is not trusted": "son certificat n'est pas reconnu",
    "the TLS handshake failed": "la négociation TLS a échoué",
    "its name cannot be resolved": "son nom n'est pas résolu",
    "the connection was refused": "la connexion est refusée",
    "the proxy refused": "le proxy refuse",
    "no answer in time": "pas de réponse à temps",
    "the answer did not end in time": "la réponse n'a pas fini à temps",
    "the answer is too large": "la réponse est trop volumineuse",
    "the answer is compressed although that was not asked for": "la réponse est comprimée sans qu'on l'ait demandé",
    "the report names no state": "le compte rendu ne donne pas d'état",
    "the connection was cut": "la connexion a été coupée",
    "it is no JSON": "ce n'est pas du JSON",
    "it is no JSON object": "ce n'est pas un objet JSON",
    "it carries no codeRetour": "elle ne porte pas de codeRetour",
    "it names no flow": "elle ne nomme aucun flux",
}
