<?xml version="1.0" encoding="UTF-8"?>
<!-- edXML in the order of the standard's numbering; attachments in the order and without prefixes, as C# software writes them. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns="http://www.mic.gov.vn/TBT/QCVN_102_2016" xmlns:q="http://www.mic.gov.vn/TBT/QCVN_102_2016" exclude-result-prefixes="q">
  <xsl:output method="xml" encoding="UTF-8"/>
  <xsl:template match="*">
    <xsl:copy>
      <xsl:copy-of select="@*"/>
      <xsl:apply-templates select="node()"/>
    </xsl:copy>
  </xsl:template>
  <xsl:template match="q:edXMLHeader/q:MessageHeader">
    <xsl:copy>
      <xsl:copy-of select="@*"/>
      <xsl:copy-of select="q:From"/>
      <xsl:copy-of select="q:To"/>
      <xsl:copy-of select="q:Code"/>
      <xsl:copy-of select="q:PromulgationInfo"/>
      <xsl:copy-of select="q:DocumentType"/>
      <xsl:copy-of select="q:Subject"/>
      <xsl:copy-of select="q:Content"/>
      <xsl:copy-of select="q:SignerInfo"/>
      <xsl:copy-of select="q:DueDate"/>
      <xsl:copy-of select="q:ToPlaces"/>
      <xsl:copy-of select="q:OtherInfo"/>
      <xsl:copy-of select="q:ResponseFor"/>
      <xsl:copy-of select="q:SteeringType"/>
      <xsl:copy-of select="q:DocumentId"/>
      <xsl:copy-of select="*[not(self::q:From or self::q:To or self::q:Code or self::q:PromulgationInfo or self::q:DocumentType or self::q:Subject
        or self::q:Content or self::q:SignerInfo or self::q:DueDate or self::q:ToPlaces or self::q:OtherInfo or self::q:ResponseFor
        or self::q:SteeringType or self::q:DocumentId)]"/>
    </xsl:copy>
  </xsl:template>
  <xsl:template match="q:AttachmentEncoded/q:Attachment">
    <Attachment>
      <xsl:apply-templates select="q:ContentType"/>
      <xsl:apply-templates select="q:ContentId"/>
      <xsl:apply-templates select="q:Description"/>
      <xsl:apply-templates select="q:ContentTransferEncoded"/>
      <xsl:apply-templates select="q:AttachmentName"/>
      <xsl:apply-templates select="*[not(self::q:ContentType or self::q:ContentId or self::q:Description or self::q:ContentTransferEncoded
        or self::q:AttachmentName)]"/>
    </Attachment>
  </xsl:template>
  <xsl:template match="q:Attachment/q:*">
    <xsl:element name="{local-name()}" namespace="http://www.mic.gov.vn/TBT/QCVN_102_2016">
      <xsl:value-of select="."/>
    </xsl:element>
  </xsl:template>
</xsl:stylesheet>
