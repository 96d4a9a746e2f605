"""The shared field dictionary (từ điển các trường dữ liệu dùng chung, decision 003 §II.1): the pivot of all translation.

Data: `dictionary.toml` (version, parts, roles), `domains/*.toml` (entries), `code_lists.toml`, `aliases/*.toml` (one system each).
A key is ``subject.attribute`` or ``subject.attribute.part``; a person's role is the subject: ``me.ngay_sinh``, ``nks.noi_sinh.ma_tinh``.
"""
