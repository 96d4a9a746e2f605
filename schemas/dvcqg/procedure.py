"""The answer of LayThuTuc: a procedure of the national catalogue. Names as the portal writes them, in capitals [C]."""

from __future__ import annotations

from typing import Annotated

from schemas.dvcqg.shape import About, Need, Shape, WireNumber


class ProcedureField(Shape):
    """LINHVUCTHUCHIEN: the field of administration."""

    MALINHVUC: Annotated[str, About("Mã lĩnh vực", "code of the field")] = ""
    TENLINHVUC: Annotated[str, About("Tên lĩnh vực", "name of the field")] = ""


class Step(Shape):
    """TRINHTU: one step."""

    TENTRINHTU: Annotated[str, About("Tên trình tự", "the step")] = ""


class Course(Shape):
    """TRINHTUTHUCHIEN: the steps in one case."""

    TRUONGHOP: Annotated[str, About("Trường hợp", "the case")] = ""
    TRINHTU: Annotated[tuple[Step, ...], About("Trình tự", "steps")] = ()


class Charge(Shape):
    """PHILEPHI: a fee of one way."""

    MAPHILEPHI: Annotated[str, About("Mã phí, lệ phí", "code of the fee")] = ""
    SOTIEN: Annotated[WireNumber, About("Số tiền", "amount", form="amount")] = ""
    DONVI: Annotated[str, About("Đơn vị tiền", "currency")] = ""
    MOTA: Annotated[str, About("Mô tả", "description")] = ""


class Duration(Shape):
    """THOIGIAN: how long it takes, and what it costs. "Ngày" and "Ngày làm việc" are different units."""

    THOIGIANGIAIQUYET: Annotated[WireNumber, About("Thời gian giải quyết", "how long", form="amount")] = ""
    DONVITINH: Annotated[str, About("Đơn vị tính", "unit: Ngày, Ngày làm việc, Giờ …")] = ""
    MOTA: Annotated[str, About("Mô tả", "description")] = ""
    PHILEPHI: Annotated[tuple[Charge, ...], About("Phí, lệ phí", "fees")] = ()


class Way(Shape):
    """CACHTHUCTHUCHIEN: one channel."""

    KENH: Annotated[str, About("Kênh", "channel", codes="dvcqg/KenhThucHien")] = ""
    THOIGIAN: Annotated[tuple[Duration, ...], About("Thời gian", "durations")] = ()


class Paper(Shape):
    """GIAYTO: a paper that is asked for."""

    MAGIAYTO: Annotated[str, About("Mã giấy tờ", "code of the paper")] = ""
    TENGIAYTO: Annotated[str, About("Tên giấy tờ", "name of the paper")] = ""
    SOBANCHINH: Annotated[WireNumber, About("Số bản chính", "originals", form="integer")] = ""
    SOBANSAO: Annotated[WireNumber, About("Số bản sao", "copies", form="integer")] = ""
    TENMAUDON: Annotated[str, About("Tên mẫu đơn", "name of the form")] = ""
    URL: Annotated[str, About("Đường dẫn mẫu đơn", "where the form is")] = ""


class Papers(Shape):
    """THANHPHANHOSO: the papers in one case."""

    TRUONGHOP: Annotated[str, About("Trường hợp", "the case")] = ""
    GIAYTO: Annotated[tuple[Paper, ...], About("Giấy tờ", "papers")] = ()


class ProcedureResult(Shape):
    """KETQUATHUCHIEN: what comes out."""

    MAKETQUA: Annotated[str, About("Mã kết quả", "code of the result")] = ""
    TENKETQUA: Annotated[str, About("Tên kết quả", "name of the result")] = ""


class LegalGround(Shape):
    """CANCUPHAPLY: a law it rests on."""

    SOVANBAN: Annotated[str, About("Số văn bản", "number of the law")] = ""
    TENVANBAN: Annotated[str, About("Tên văn bản", "name of the law")] = ""


class Executor(Shape):
    """COQUANTHUCHIEN: who does it."""

    MADONVI: Annotated[str, About("Mã đơn vị", "code of the agency", form="agency")] = ""
    TENDONVI: Annotated[str, About("Tên đơn vị", "name of the agency")] = ""
    CAPDONVI: Annotated[str, About("Cấp đơn vị", "level")] = ""


class Procedure(Shape):
    """One procedure."""

    MATTHC: Annotated[str, About("Mã thủ tục hành chính", "procedure code", Need.KEY, form="procedure-code")] = ""
    TENTTHC: Annotated[str, About("Tên thủ tục hành chính", "name of the procedure", Need.VALUE)] = ""
    MACOQUANCONGBO: Annotated[str, About("Mã cơ quan công bố", "code of the publishing agency", form="agency")] = ""
    LINHVUCTHUCHIEN: Annotated[tuple[ProcedureField, ...], About("Lĩnh vực thực hiện", "fields")] = ()
    MANGANH: Annotated[str, About("Mã ngành", "code of the sector")] = ""
    TRINHTUTHUCHIEN: Annotated[tuple[Course, ...], About("Trình tự thực hiện", "course")] = ()
    CACHTHUCTHUCHIEN: Annotated[tuple[Way, ...], About("Cách thức thực hiện", "ways")] = ()
    THANHPHANHOSO: Annotated[tuple[Papers, ...], About("Thành phần hồ sơ", "papers asked for")] = ()
    YEUCAU: Annotated[str, About("Yêu cầu, điều kiện", "conditions")] = ""
    MOTADOITUONGTHUCHIEN: Annotated[str, About("Đối tượng thực hiện", "who may apply")] = ""
    KETQUATHUCHIEN: Annotated[tuple[ProcedureResult, ...], About("Kết quả thực hiện", "results")] = ()
    CANCUPHAPLY: Annotated[tuple[LegalGround, ...], About("Căn cứ pháp lý", "legal grounds")] = ()
    COQUANTHUCHIEN: Annotated[tuple[Executor, ...], About("Cơ quan thực hiện", "agencies in charge")] = ()
    TRANGTHAI: Annotated[str, About("Trạng thái", "state in the catalogue")] = ""


class ProcedureAnswer(Shape):
    """The answer of LayThuTuc."""

    error_code: Annotated[WireNumber, About("Mã lỗi, 0 là thành công", "0 for success", Need.KEY)] = ""
    result: Annotated[tuple[Procedure, ...], About("Các thủ tục", "the procedures", Need.PRESENT)] = ()
