"""What certificates, lists of revoked ones and status answers may cost at the most, with units."""

from __future__ import annotations

MIB = 1024 * 1024

MAX_CERTIFICATE_BYTES = 16 * 1024
MAX_INTERMEDIATES = 1024  # handed in beside one signature; a collection such as NIST PKITS has 400
MAX_CAS = 12  # between signer and anchor, the anchor included; the national hierarchies have two
MAX_STEPS = 128  # signature checks that building the paths of one signer may cost
MAX_CRL_BYTES = 32 * MIB  # ≈ 800,000 entries
MAX_CRLS = 256  # looked at for one certificate
MAX_OCSP_BYTES = 128 * 1024
MAX_OCSPS = 256
MAX_OCSP_SINGLES = 64  # answers in one response
MAX_CRL_CACHE_BYTES = 32 * MIB  # DER of the lists whose index is remembered
MAX_PATHS_BYTES = 32 * MIB  # of certificates whose paths are remembered
MAX_JUDGED_BYTES = 16 * MIB  # of signers whose path and status are remembered: some 2,000
MAX_FAMILIAR_BYTES = 16 * MIB  # of signatures whose words are remembered: some 1,500
MAX_STORES_BYTES = 8 * MIB  # of certificates of the trust stores that were kept with verdicts and are remembered as read
MAX_STANDING = 4096  # valid signatures whose report is remembered
MAX_NESTING = 3  # who signed the list, who says he may, and who says that
