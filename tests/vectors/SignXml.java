import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.List;
import javax.xml.crypto.dom.DOMStructure;
import javax.xml.crypto.dsig.*;
import javax.xml.crypto.dsig.dom.DOMSignContext;
import javax.xml.crypto.dsig.keyinfo.KeyInfo;
import javax.xml.crypto.dsig.keyinfo.KeyInfoFactory;
import javax.xml.crypto.dsig.spec.C14NMethodParameterSpec;
import javax.xml.crypto.dsig.spec.SignatureMethodParameterSpec;
import javax.xml.crypto.dsig.spec.TransformParameterSpec;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.TransformerFactory;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/** Signatures by the JDK: every canonical form, enveloped, detached inside and enveloping, by the methods named. Arguments: folder, signer, methods. */
class SignXml {
    static final String ENVELOPED =
        "<?pi x?><!-- c --><r xmlns='urn:r' xmlns:u='urn:u' xml:lang='vi'><a>V\u0103n b\u1ea3n &amp; <!-- c --></a><u:b x='1'/></r>";
    static final String DETACHED = "<r xmlns='urn:r' xmlns:u='urn:u'><a Id='x'>V\u0103n b\u1ea3n <!-- c --> <u:b x='1'/></a></r>";
    static final String[] FORMS = {
        CanonicalizationMethod.INCLUSIVE, CanonicalizationMethod.INCLUSIVE_WITH_COMMENTS,
        CanonicalizationMethod.EXCLUSIVE, CanonicalizationMethod.EXCLUSIVE_WITH_COMMENTS,
        "http://www.w3.org/2006/12/xml-c14n11", "http://www.w3.org/2006/12/xml-c14n11#WithComments"};

    static final XMLSignatureFactory FACTORY = XMLSignatureFactory.getInstance("DOM");
    static PrivateKey key;
    static X509Certificate certificate;

    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        try (InputStream pem = Files.newInputStream(folder.resolve(arguments[1] + ".pem"))) {
            certificate = (X509Certificate) CertificateFactory.getInstance("X.509").generateCertificate(pem);
        }
        byte[] der = Files.readAllBytes(folder.resolve(arguments[1] + ".p8"));
        key = KeyFactory.getInstance(certificate.getPublicKey().getAlgorithm()).generatePrivate(new PKCS8EncodedKeySpec(der));
        int number = 0;
        for (int at = 2; at < arguments.length; at++) {
            for (String form : FORMS) {
                for (String kind : List.of("enveloped", "detached", "enveloping")) {
                    write(sign(kind, form, arguments[at]), folder.resolve(String.format("java-%s-%03d.xml", arguments[1], number++)));
                }
            }
        }
    }

    static Document sign(String kind, String form, String method) throws Exception {
        DocumentBuilderFactory builders = DocumentBuilderFactory.newInstance();
        builders.setNamespaceAware(true);
        DocumentBuilder builder = builders.newDocumentBuilder();
        Transform canonical = FACTORY.newTransform(form, (TransformParameterSpec) null);
        Transform enveloped = FACTORY.newTransform(Transform.ENVELOPED, (TransformParameterSpec) null);
        if (kind.equals("enveloping")) {
            Document document = builder.newDocument();
            Element content = document.createElementNS("urn:z", "z");
            content.setAttributeNS("http://www.w3.org/2000/xmlns/", "xmlns", "urn:z");
            content.setTextContent("n\u1ed9i dung");
            XMLObject object = FACTORY.newXMLObject(List.of(new DOMStructure(content)), "o", "text/xml", null);
            signature("#o", List.of(canonical), List.of(object), form, method).sign(new DOMSignContext(key, document));
            return document;
        }
        String text = kind.equals("enveloped") ? ENVELOPED : DETACHED;
        Document document = builder.parse(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
        DOMSignContext context = new DOMSignContext(key, document.getDocumentElement());
        if (kind.equals("enveloped")) {
            signature("", List.of(enveloped, canonical), null, form, method).sign(context);
            return document;
        }
        ((Element) document.getDocumentElement().getFirstChild()).setIdAttribute("Id", true);
        context.setDefaultNamespacePrefix("ds");
        signature("#x", List.of(canonical), null, form, method).sign(context);
        return document;
    }

    static XMLSignature signature(String uri, List<Transform> transforms, List<XMLObject> objects, String form, String method) throws Exception {
        DigestMethod digest = FACTORY.newDigestMethod(DigestMethod.SHA256, null);
        Reference reference = FACTORY.newReference(uri, digest, transforms, null, null);
        SignatureMethod how = FACTORY.newSignatureMethod(method, (SignatureMethodParameterSpec) null);
        CanonicalizationMethod canonical = FACTORY.newCanonicalizationMethod(form, (C14NMethodParameterSpec) null);
        KeyInfoFactory keys = FACTORY.getKeyInfoFactory();
        Object serial = keys.newX509IssuerSerial(certificate.getIssuerX500Principal().getName(), certificate.getSerialNumber());
        List<Object> data = List.of(serial, certificate.getSubjectX500Principal().getName(), certificate);
        KeyInfo about = keys.newKeyInfo(List.of(keys.newKeyValue(certificate.getPublicKey()), keys.newX509Data(data)));
        return FACTORY.newXMLSignature(FACTORY.newSignedInfo(canonical, how, List.of(reference)), about, objects, null, null);
    }

    static void write(Document document, Path path) throws Exception {
        try (OutputStream out = Files.newOutputStream(path)) {
            TransformerFactory.newInstance().newTransformer().transform(new DOMSource(document), new StreamResult(out));
        }
    }
}
