import COpenSSL
import Core
import FoundationEssentials
import Glibc

/// Certificates of authorities that somebody trusts, in PEM.
package struct TrustedCertificates: Sendable, Equatable {
    package struct Certificate: Sendable, Equatable {
        /// The common name, or the whole subject where there is none.
        package let name: String
        package let validUntil: Date
    }

    /// Why a text cannot be used, in words for whoever pasted it.
    package struct Flaw: Error, Equatable {
        package let message: String
    }

    /// So much is enough for any bundle of a company.
    private static let sizeLimit = 100_000
    private static let begin = "-----BEGIN CERTIFICATE-----"

    /// As it was given.
    package let pem: String
    package let certificates: [Certificate]

    /// Reads one certificate or several, one after the other. They are not judged: an authority of one's own is signed by
    /// nobody else.
    package init(pem: String) throws(Flaw) {
        guard pem.utf8.count <= Self.sizeLimit else { throw Flaw(message: "Paste at most 100 KB.") }
        guard !pem.contains("PRIVATE KEY-----") else {
            throw Flaw(message: "There is a private key in it. Paste only certificates, and keep the key to yourself.")
        }
        let announced: Int = pem.ranges(of: Self.begin).count
        guard announced > 0 else {
            throw Flaw(message: "This is no certificate in PEM. It begins with \(Self.begin).")
        }
        let found: [Certificate] = Self.read(pem)
        guard found.count == announced else {
            let place: String = announced == 1 ? "The certificate" : "Certificate \(found.count + 1)"
            throw Flaw(message: "\(place) cannot be read. Copy it whole, with its first and last line.")
        }
        self.pem = pem
        certificates = found
    }

    /// Those that can be read, up to the first that cannot.
    private static func read(_ pem: String) -> [Certificate] {
        let bytes: [UInt8] = Array(pem.utf8)
        guard let file = BIO_new(BIO_s_mem()) else { return [] }
        defer {
            BIO_free(file)
            ERR_clear_error()
        }
        let count = Int32(clamping: bytes.count)
        guard BIO_write(file, bytes, count) == count else { return [] }
        var found: [Certificate] = []
        while let certificate = PEM_read_bio_X509(file, nil, nil, nil) {
            defer { X509_free(certificate) }
            guard let validUntil = end(of: certificate) else { break }
            found.append(Certificate(name: name(of: certificate), validUntil: validUntil))
        }
        return found
    }

    private static func name(of certificate: OpaquePointer) -> String {
        guard let subject = X509_get_subject_name(certificate) else { return "Without a name" }
        var buffer = [CChar](repeating: 0, count: 256)
        let length: Int32 = X509_NAME_get_text_by_NID(subject, NID_commonName, &buffer, Int32(buffer.count))
        if length <= 0 { X509_NAME_oneline(subject, &buffer, Int32(buffer.count)) }
        let text = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return text.isEmpty ? "Without a name" : text
    }

    private static func end(of certificate: OpaquePointer) -> Date? {
        var parts = tm()
        guard let time = X509_get0_notAfter(certificate), ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
        return Date(timeIntervalSince1970: Double(timegm(&parts)))
    }
}
