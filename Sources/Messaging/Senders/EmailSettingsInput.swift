import Core
import Cryptography
import FoundationEssentials
import Mail
import Web

/// What somebody wants to change of the settings. The same rules for the form and the JSON face.
struct EmailSettingsInput: Sendable {
    /// What becomes of the password.
    enum Password: Sendable {
        case keep
        case remove
        case set(Secret<String>)
    }

    var settings: EmailSettings
    var password: Password

    /// Reads the form. An empty password field keeps the saved one.
    init(form: FormValues, current: EmailSettings) {
        var settings: EmailSettings = current
        settings.provider = EmailProvider(rawValue: form.text("provider")) ?? .outbox
        settings.smtp.host = form.text("host")
        settings.smtp.port = form.integer("port") ?? (form.text("port").isEmpty ? 587 : 0)
        settings.smtp.encryption = SMTPSettings.Encryption(rawValue: form.text("encryption")) ?? .startTLS
        settings.smtp.username = form.optional("username")
        settings.smtp.connections = form.integer("connections") ?? (form.text("connections").isEmpty ? 4 : 0)
        settings.smtp.ratePerSecond = form.integer("ratePerSecond") ?? (form.text("ratePerSecond").isEmpty ? nil : 0)
        settings.smtp.certificates = form.optional("certificates")
        settings.fromName = form.optional("fromName")
        settings.fromEmail = form.optional("fromEmail")
        settings.replyTo = form.optional("replyTo")
        settings.bounceDomain = form.optional("bounceDomain")
        self.settings = settings
        let typed: String = form.raw("password") ?? ""
        password = form.flag("removePassword") ? .remove : typed.isEmpty ? .keep : .set(Secret(typed))
    }

    /// Reads JSON. Members that are absent keep what is saved; null removes.
    init(json: EmailSettingsJSON, current: EmailSettings) {
        var settings: EmailSettings = current
        if let provider = json.provider { settings.provider = provider }
        password = .keep
        if let smtp = json.smtp {
            settings.smtp.host = smtp.host ?? settings.smtp.host
            settings.smtp.port = smtp.port ?? settings.smtp.port
            settings.smtp.encryption = smtp.encryption ?? settings.smtp.encryption
            if smtp.names.contains("username") {
                settings.smtp.username = smtp.username.flatMap { $0.isEmpty ? nil : $0 }
            }
            settings.smtp.connections = smtp.connections ?? settings.smtp.connections
            if smtp.names.contains("ratePerSecond") {
                settings.smtp.ratePerSecond = smtp.ratePerSecond.flatMap { $0 == 0 ? nil : $0 }
            }
            if smtp.names.contains("certificates") {
                settings.smtp.certificates = smtp.certificates?.trimmed.nonEmpty
            }
            if smtp.names.contains("password") {
                password = smtp.password.flatMap { $0.isEmpty ? nil : $0 }.map { .set(Secret($0)) } ?? .remove
            }
        }
        if json.names.contains("fromName") { settings.fromName = json.fromName?.trimmed.nonEmpty }
        if json.names.contains("fromEmail") { settings.fromEmail = json.fromEmail }
        if json.names.contains("replyTo") { settings.replyTo = json.replyTo }
        if json.names.contains("bounceDomain") { settings.bounceDomain = json.bounceDomain }
        self.settings = settings
    }

    /// - Parameter prefix: how the face calls the server's fields: `smtp/` in JSON.
    func validate(prefix: String = "") throws(ValidationErrors) {
        var errors = ValidationErrors()
        let smtp: MailServer = settings.smtp
        if settings.provider == .smtp {
            if smtp.host.isEmpty { errors.add("\(prefix)host", "Enter the mail server's name, like smtp.example.com.") }
            if settings.fromEmail == nil {
                errors.add("fromEmail", "Enter the address that your e-mails come from.")
            }
        }
        if !smtp.host.isEmpty, !Self.isHost(smtp.host) {
            errors.add("\(prefix)host", "Enter only the server's name or address, without http:// or spaces.")
        }
        if !(1...65_535).contains(smtp.port) { errors.add("\(prefix)port", "Enter a port from 1 to 65535.") }
        if !(1...64).contains(smtp.connections) { errors.add("\(prefix)connections", "Enter a number from 1 to 64.") }
        if let rate = smtp.ratePerSecond, !(1...1_000_000).contains(rate) {
            errors.add("\(prefix)ratePerSecond", "Enter a number above 0, or leave it empty for no limit.")
        }
        if let certificates = smtp.certificates {
            do {
                _ = try TrustedCertificates(pem: certificates)
            } catch {
                errors.add("\(prefix)certificates", error.message)
            }
        }
        for (field, text) in [("\(prefix)username", smtp.username), ("fromName", settings.fromName)] {
            if let text, text.count > 200 || !text.isOneLine {
                errors.add(field, "Use one line of at most 200 characters.")
            }
        }
        if smtp.username != nil, smtp.encryption == .none,
            !["localhost", "127.0.0.1", "[::1]"].contains(smtp.host.lowercased())
        {
            errors.add(
                "\(prefix)encryption", "With a password the connection must be encrypted. Choose STARTTLS or TLS.")
        }
        check(settings.fromEmail, "fromEmail", &errors)
        check(settings.replyTo, "replyTo", &errors)
        if let domain = settings.bounceDomain, (try? EmailAddress(parsing: "bounce@\(domain)")) == nil {
            errors.add("bounceDomain", "Enter a domain, like bounce.example.com.")
        }
        try errors.throwIfAny()
    }

    private func check(_ address: String?, _ field: String, _ errors: inout ValidationErrors) {
        guard let address else { return }
        do {
            _ = try EmailAddress(parsing: address)
        } catch {
            errors.add(field, error.message)
        }
    }

    /// A host name, or an address with or without brackets. It becomes part of a URL for the mail library.
    static func isHost(_ text: String) -> Bool {
        text.utf8.count <= 253
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":"),
                    UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}

/// The settings as JSON comes in. Remembers which members were there, because null and absent mean different things.
struct EmailSettingsJSON: Decodable {
    struct SMTP: Decodable {
        let host: String?
        let port: Int?
        let encryption: SMTPSettings.Encryption?
        let username: String?
        let password: String?
        let connections: Int?
        let ratePerSecond: Int?
        let certificates: String?
        let names: Set<String>

        private enum CodingKeys: String, CodingKey, CaseIterable {
            case host, port, encryption, username, password, connections, ratePerSecond, certificates
        }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            host = try container.decodeIfPresent(String.self, forKey: .host)
            port = try container.decodeIfPresent(Int.self, forKey: .port)
            encryption = try container.decodeIfPresent(SMTPSettings.Encryption.self, forKey: .encryption)
            username = try container.decodeIfPresent(String.self, forKey: .username)
            password = try container.decodeIfPresent(String.self, forKey: .password)
            connections = try container.decodeIfPresent(Int.self, forKey: .connections)
            ratePerSecond = try container.decodeIfPresent(Int.self, forKey: .ratePerSecond)
            certificates = try container.decodeIfPresent(String.self, forKey: .certificates)
            names = Set(container.allKeys.map(\.rawValue))
        }
    }

    let provider: EmailProvider?
    let smtp: SMTP?
    let fromName: String?
    let fromEmail: String?
    let replyTo: String?
    let bounceDomain: String?
    let names: Set<String>

    private enum CodingKeys: String, CodingKey {
        case provider, smtp, fromName, fromEmail, replyTo, bounceDomain
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        provider = try container.decodeIfPresent(EmailProvider.self, forKey: .provider)
        smtp = try container.decodeIfPresent(SMTP.self, forKey: .smtp)
        fromName = try container.decodeIfPresent(String.self, forKey: .fromName)
        fromEmail = try container.decodeIfPresent(String.self, forKey: .fromEmail)
        replyTo = try container.decodeIfPresent(String.self, forKey: .replyTo)
        bounceDomain = try container.decodeIfPresent(String.self, forKey: .bounceDomain)
        names = Set(container.allKeys.map(\.rawValue))
    }
}
