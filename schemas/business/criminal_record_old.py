"""Criminal records in the two older forms: one with English names, one with the names of a provincial LGSP.

Names and declared types: facts on the one-stop shop §2.5 [C]. Many of the English names could not be told (`lgsp dictionary find`).
"""

from __future__ import annotations

from typing import Annotated

from schemas.business.fields import NESTED, Due, Key, Number, Text, explained
from schemas.dvcqg.shape import Shape


@explained("lltp", "MandatorForm")
class MandatorForm(Shape):
    """mandatorForm: who gives the mandate."""

    fullName: Text = ""
    genderId: Text = ""
    birthDateStr: Text = ""
    birthPlaceId: Text = ""
    residence: Text = ""
    regionId: Text = ""
    idTypeId: Text = ""
    identifyNo: Text = ""
    idIssueDate: Text = ""
    idIssuePlace: Text = ""
    mandatorRelation: Text = ""
    mandatorDate: Text = ""


@explained("lltp", "ResidenceForm")
class ResidenceForm(Shape):
    """residenceForm: a residence and an occupation."""

    fromDateStr: Text = ""
    toDateStr: Text = ""
    residencePlace: Text = ""
    jobName: Text = ""
    workPlace: Text = ""


@explained("lltp", "DeclarationForm")
class DeclarationForm(Shape):
    """declarationForm: the declaration."""

    fullName: Due = ""
    birthDateStr: Text = ""
    genderId: Text = ""
    birthPlace: Text = ""
    nationalityId: Number = ""
    residence: Text = ""
    idIssuePlace: Text = ""
    idIssueDate: Text = ""
    dadName: Text = ""
    dadDob: Text = ""
    momName: Text = ""
    momDob: Text = ""
    partnerName: Text = ""
    partnerDob: Text = ""
    phone: Text = ""
    email: Text = ""
    note: Text = ""
    otherName: Text = ""
    idTypeId: Text = ""
    identifyNo: Text = ""
    reRegionId: Text = ""
    rtRegionId: Text = ""
    declareTypeId: Number = ""
    objectRequestId: Number = ""
    agencyRequestId: Text = ""
    regionRequestId: Number = ""
    isBanPosition: Number = ""
    delivery: Number = ""
    deliveryAddress: Text = ""
    deliveryDistrict: Number = ""
    purpose: Text = ""
    receiveNo: Text = ""
    declarationPortalID: Text = ""
    giveProfileDistrict: Text = ""
    ethnicId: Text = ""
    ministryJusticeId: Text = ""
    requestQty: Number = ""
    requestQtyAdd: Text = ""
    declareDate: Text = ""
    formType: Text = ""
    residenceTemporary: Text = ""


@explained("lltp", "LyLichTuPhapForm")
class EnglishForm(Shape):
    """The older request with English names."""

    idReceivedDec: Text = ""
    dateReceivedDec: Text = ""
    datePromissoryDec: Text = ""
    idMoneyReceipt: Text = ""
    declarationForm: Annotated[DeclarationForm | None, NESTED] = None
    residenceForm: Annotated[tuple[ResidenceForm, ...], NESTED] = ()
    mandatorForm: Annotated[MandatorForm | None, NESTED] = None


@explained("lltp", "DiaBanLGSP")
class Area(Shape):
    """An address by codes and names."""

    maTinhThanh: Text = ""
    tenTinhThanh: Text = ""
    maQuanHuyen: Text = ""
    tenQuanHuyen: Text = ""
    maPhuongXa: Text = ""
    tenPhuongXa: Text = ""
    dcChiTiet: Text = ""


@explained("lltp", "NycCuTruLGSP")
class Stay(Shape):
    """nycCuTru: a residence and an occupation."""

    tuNgay: Text = ""
    denNgay: Text = ""
    noiCuTru: Text = ""
    ngheNghiep: Text = ""
    noiLamViec: Text = ""


@explained("lltp", "FileHoSoLGSP")
class DossierFile(Shape):
    """fileHoSo: a file."""

    tenLoaiFile: Text = ""
    tenFile: Text = ""
    noiDungFile: Text = ""


@explained("lltp", "ToKhaiLGSP")
class LgspDeclaration(Shape):
    """toKhai as a provincial LGSP has it. `nyqQuanHe` is a typo of the wire."""

    ngayHenTra: Text = ""
    nycNoiSinhNuocNgoai: Text = ""
    loaiPhieu: Text = ""
    yeuCauCDNCV: Text = ""
    maMucDich: Text = ""
    mucDich: Text = ""
    tenMucDich: Text = ""
    soLuongCap: Text = ""
    nycHoTen: Due = ""
    nycTenGoiKhac: Text = ""
    nycGioiTinh: Text = ""
    nycTenGioiTinh: Text = ""
    nycTenLoaiGiayTo: Text = ""
    nycNgaySinh: Due = ""
    nycThuongTru: Annotated[Area | None, NESTED] = None
    nycTamTru: Annotated[Area | None, NESTED] = None
    nycDienThoai: Text = ""
    nycEmail: Text = ""
    nycSoGiayTo: Text = ""
    nycLoaiGiayTo: Text = ""
    nycNgayCapGiayTo: Text = ""
    nycNoiCapGiayTo: Text = ""
    nycQuocTich: Text = ""
    nycTenQuocTich: Text = ""
    nycDanToc: Text = ""
    nycTenDanToc: Text = ""
    nycHoTenCha: Text = ""
    chaNgaySinh: Text = ""
    chaLoaiGiayTo: Text = ""
    chaSoGiayTo: Text = ""
    nycHoTenMe: Text = ""
    meNgaySinh: Text = ""
    meLoaiGiayTo: Text = ""
    meSoGiayTo: Text = ""
    nycHoTenVoChong: Text = ""
    voChongNgaySinh: Text = ""
    voChongLoaiGiayTo: Text = ""
    voChongSoGiayTo: Text = ""
    nycNoiSinh: Annotated[Area | None, NESTED] = None
    uyQuyen: Text = ""
    uyQuyenHoTen: Text = ""
    nuqTenGoiKhac: Text = ""
    nuqGioiTinh: Text = ""
    nuqNgaySinh: Text = ""
    nuqTenDanToc: Text = ""
    nuqDanToc: Text = ""
    nuqTenQuocTich: Text = ""
    nuqQuocTich: Text = ""
    nuqEmail: Text = ""
    nyqQuanHe: Text = ""
    nuqThuongTruChiTiet: Annotated[Area | None, NESTED] = None
    nuqNoiSinh: Annotated[Area | None, NESTED] = None
    nuqDienThoai: Text = ""
    nuqLoaiGiayto: Text = ""
    thongTinAnTich: Text = ""
    nuqSoGiayTo: Text = ""
    nuqNgayCapGiayTo: Text = ""
    nuqNoiCapGiayTo: Text = ""
    mucDichKhac: Text = ""
    nycCuTru: Annotated[tuple[Stay, ...], NESTED] = ()
    fileHoSo: Annotated[tuple[DossierFile, ...], NESTED] = ()


@explained("lltp", "DataLGSP")
class LgspRequest(Shape):
    """The request as a provincial LGSP has it."""

    authKey: Text = ""
    maTinh: Text = ""
    tenTinh: Text = ""
    maHoSoMCDT: Key = ""
    nguonDangKy: Text = ""
    tenNguonDangKy: Text = ""
    ngayTiepNhan: Text = ""
    toKhai: Annotated[LgspDeclaration | None, NESTED] = None
