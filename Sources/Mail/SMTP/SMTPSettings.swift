import Core
import FoundationEssentials

/// How to reach an SMTP server that takes our mail.
package struct SMTPSettings: Sendable, Equatable {
    package enum Encryption: String, Sendable, Equatable, CaseIterable, Codable {
        /// Plain text: for a relay on this machine or in a private network.
        case none
        /// Upgraded before anything is said; refused when the server does not offer it.
        case startTLS = "starttls"
        /// TLS from the first byte.
        case implicitTLS = "tls"
    }

    package var host: String
    package var port: Int
    package var encryption: Encryption
    package var username: String?
    package var password: Secret<String>?
    /// The name given in EHLO: this machine's public name.
    package var helloName: String
    /// Seconds until a connection must stand.
    package var connectTimeout: Int
    /// Seconds the server may take for one answer. RFC 5321 allows ten minutes for the last one.
    package var answerTimeout: Int
    /// A file of trusted certificates in PEM instead of the system's.
    package var trustedCertificatesFile: String?
    /// Certificates in PEM of authorities that are trusted for this server, as well as the system's.
    package var trustedCertificates: String?

    package init(
        host: String, port: Int, encryption: Encryption, username: String? = nil, password: Secret<String>? = nil,
        helloName: String = "localhost", connectTimeout: Int = 15, answerTimeout: Int = 600,
        trustedCertificatesFile: String? = nil, trustedCertificates: String? = nil
    ) {
        self.host = host
        self.port = port
        self.encryption = encryption
        self.username = username
        self.password = password
        self.helloName = helloName
        self.connectTimeout = connectTimeout
        self.answerTimeout = answerTimeout
        self.trustedCertificatesFile = trustedCertificatesFile
        self.trustedCertificates = trustedCertificates
    }

    /// Reads `smtp://user:pass@host:port` or `smtps://…`.
    ///
    /// `smtp` upgrades with STARTTLS, except on ports 25 and 1025 and to this machine, where it stays plain;
    /// `?encryption=none|starttls|tls` decides otherwise. User and password may be percent-encoded.
    /// - Throws: a field error named `smtpUrl`.
    package init(url: String, helloName: String = "localhost") throws(ValidationErrors) {
        guard let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty,
            let scheme = parts.scheme?.lowercased(), scheme == "smtp" || scheme == "smtps"
        else {
            throw ValidationErrors("smtpUrl", "This must look like smtp://user:password@mail.example.com:587.")
        }
        let isLocal: Bool = Self.isLoopback(host)
        var encryption: Encryption = .startTLS
        if scheme == "smtps" { encryption = .implicitTLS }
        if scheme == "smtp", isLocal || parts.port == 25 || parts.port == 1025 { encryption = .none }
        if let asked = parts.queryItems?.first(where: { $0.name == "encryption" })?.value {
            guard let named = Encryption(rawValue: asked) else {
                throw ValidationErrors("smtpUrl", "The encryption must be none, starttls or tls.")
            }
            encryption = named
        }
        let port: Int = parts.port ?? (encryption == .implicitTLS ? 465 : encryption == .startTLS ? 587 : 25)
        self.init(
            host: host, port: port, encryption: encryption, username: parts.user,
            password: parts.password.map { Secret($0) }, helloName: helloName)
        try validate()
    }

    /// Checks what would otherwise end up in a URL or a command.
    /// - Throws: field errors named `host`, `port`, `helloName` and `password`.
    package func validate() throws(ValidationErrors) {
        var errors = ValidationErrors()
        if !Self.isHost(host) { errors.add("host", "Enter the server's name, like mail.example.com.") }
        if !(1...65_535).contains(port) { errors.add("port", "A port is a number from 1 to 65535.") }
        if !Self.isHost(helloName) { errors.add("helloName", "Enter this machine's name, like news.example.com.") }
        if username != nil, encryption == .none, !Self.isLoopback(host) {
            errors.add("encryption", "With a password the connection must be encrypted. Choose STARTTLS or TLS.")
        }
        let texts: [String] = [username ?? "", password?.reveal() ?? ""]
        if texts.contains(where: { HeaderText.hasControl($0.utf8) }) {
            errors.add("password", "The user name or password has a character that cannot be sent.")
        }
        try errors.throwIfAny()
    }

    static func isHost(_ text: String) -> Bool {
        if text.hasPrefix("["), text.hasSuffix("]") {
            return text.dropFirst().dropLast().allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." }
        }
        guard (1...253).contains(text.utf8.count), text.first != "-", text.first != "." else { return false }
        return text.utf8.allSatisfy {
            (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 46
        }
    }

    static func isLoopback(_ host: String) -> Bool {
        host.lowercased() == "localhost" || host.hasPrefix("127.") || host == "[::1]"
    }

    /// The address for libcurl; the path is the EHLO name.
    var curlURL: String {
        "\(encryption == .implicitTLS ? "smtps" : "smtp")://\(host):\(port)/\(helloName)"
    }
}
