"""Enterprise registration (đăng ký kinh doanh): asking the national register for one enterprise.

``GET /apiCSDLDKDN/1.0/chiTietDoanhNghiep?msdn=…`` → ``data.MainInformation``, ``data.Representatives`` …: the name is certain, the detail
told by a third party (facts on the one-stop shop §2.5, [C] name, [S] detail). What stands inside is not known here, so it is carried as it
came and nothing is said of it.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from schemas.business.fields import NESTED, Key, explained
from schemas.dvcqg.shape import Shape

PATH = "/apiCSDLDKDN/1.0/chiTietDoanhNghiep"


@explained("dkkd", "chiTietDoanhNghiep")
class EnterpriseRequest(Shape):
    """The parameter of the call, as an object."""

    msdn: Key = ""


class Unknown(Shape):
    """An object whose members nobody told; all are kept."""

    OPEN: ClassVar[bool] = True


@explained("dkkd", "chiTietDoanhNghiepTraLoi")
class EnterpriseData(Shape):
    """data: the register's extract."""

    OPEN: ClassVar[bool] = True

    MainInformation: Annotated[Unknown | None, NESTED] = None
    Representatives: Annotated[tuple[Unknown, ...], NESTED] = ()


@explained("dkkd", "chiTietDoanhNghiepTraLoi")
class EnterpriseAnswer(Shape):
    """The answer of the register."""

    OPEN: ClassVar[bool] = True

    data: Annotated[EnterpriseData | None, NESTED] = None
