import Core
import Cryptography
import FoundationEssentials
import Mail
import Templates
import Web

/// How a workspace sends e-mail.
struct EmailSettingsPage: ViewPage {
    let settings: EmailSettings
    var errors = ValidationErrors()
    /// What was typed, when it was refused.
    var form: FormValues?
    let canEdit: Bool
    /// The installation's own mail server is used until the workspace has one.
    let usesSystemServer: Bool
    var testAddress = ""
    var report: TestReport?

    static let view = "messaging/settings"
    static let fields = Fields<EmailSettingsPage> { f in
        f.list("providers", of: SelectOption.self) { page in page.providerOptions }
        f.list("encryptions", of: SelectOption.self) { page in page.encryptionOptions }
        f.record("host", of: FormField.self) { $0.field("host", $0.settings.smtp.host) }
        f.record("port", of: FormField.self) { $0.field("port", String($0.settings.smtp.port)) }
        f.record("username", of: FormField.self) { $0.field("username", $0.settings.smtp.username ?? "") }
        f.record("password", of: FormField.self) { FormField("password", "", $0.errors) }
        f.record("connections", of: FormField.self) { $0.field("connections", String($0.settings.smtp.connections)) }
        f.record("ratePerSecond", of: FormField.self) {
            $0.field("ratePerSecond", $0.settings.smtp.ratePerSecond.map { String($0) } ?? "")
        }
        f.record("fromName", of: FormField.self) { $0.field("fromName", $0.settings.fromName ?? "") }
        f.record("fromEmail", of: FormField.self) { $0.field("fromEmail", $0.settings.fromEmail ?? "") }
        f.record("replyTo", of: FormField.self) { $0.field("replyTo", $0.settings.replyTo ?? "") }
        f.record("bounceDomain", of: FormField.self) { $0.field("bounceDomain", $0.settings.bounceDomain ?? "") }
        f.record("certificates", of: FormField.self) { $0.field("certificates", $0.settings.smtp.certificates ?? "") }
        f.flag("showsCertificates") { $0.settings.smtp.certificates != nil || $0.errors["certificates"] != nil }
        f.list("trusted", of: TrustedCertificateRecord.self) { TrustedCertificateRecord.records($0.settings) }
        f.record("to", of: FormField.self) { FormField("to", $0.testAddress, $0.errors) }
        f.optionalText("encryptionError") { $0.errors["encryption"] }
        f.flag("hasPassword") { $0.settings.hasPassword }
        f.flag("canEdit") { $0.canEdit }
        f.flag("usesSystemServer") { $0.usesSystemServer }
        f.flag("isOutbox") { $0.settings.provider == .outbox }
        f.list("errors", of: ErrorSummaryItem.self) { ErrorSummaryItem.items($0.errors) }
        f.optionalRecord("report", of: TestReportRecord.self) { page in page.report.map { TestReportRecord(report: $0) }
        }
    }
    static var previews: [EmailSettingsPage] {
        var own = EmailSettings()
        own.smtp.certificates = ""
        return [
            EmailSettingsPage(settings: EmailSettings(), canEdit: true, usesSystemServer: false),
            EmailSettingsPage(settings: own, canEdit: true, usesSystemServer: false),
        ]
    }

    private func field(_ name: String, _ saved: String) -> FormField {
        FormField(name, form?.raw(name) ?? saved, errors)
    }

    private var providerOptions: [SelectOption] {
        let chosen: String = form?.text("provider") ?? settings.provider.rawValue
        return [
            SelectOption(
                value: "outbox", label: "Outbox: keep every e-mail in the portal and send nothing",
                selected: chosen == "outbox"),
            SelectOption(value: "smtp", label: "Mail server (SMTP)", selected: chosen == "smtp"),
        ]
    }

    private var encryptionOptions: [SelectOption] {
        let chosen: String = form?.text("encryption") ?? settings.smtp.encryption.rawValue
        return [SMTPSettings.Encryption.startTLS, .implicitTLS, .none].map {
            SelectOption(value: $0.rawValue, label: $0.label, selected: $0.rawValue == chosen)
        }
    }
}

/// An authority that a workspace trusts for its mail server.
struct TrustedCertificateRecord: ViewRecord {
    let certificate: TrustedCertificates.Certificate

    static let fields = Fields<TrustedCertificateRecord> { f in
        f.text("name") { $0.certificate.name }
        f.date("validUntil") { $0.certificate.validUntil }
    }

    /// What is saved was read before; were it unreadable, the field would still show it.
    static func records(_ settings: EmailSettings) -> [TrustedCertificateRecord] {
        guard let saved = settings.smtp.certificates, let read = try? TrustedCertificates(pem: saved) else { return [] }
        return read.certificates.map { TrustedCertificateRecord(certificate: $0) }
    }
}

/// What a mail server said to a test.
struct TestReportRecord: ViewRecord {
    let report: TestReport

    static let fields = Fields<TestReportRecord> { f in
        f.flag("isAccepted") { $0.report.isAccepted }
        f.text("summary") { $0.report.summary }
        f.text("recipient") { $0.report.recipient }
        f.list("lines", of: DialogueLine.self) { $0.report.lines.map { DialogueLine(line: $0) } }
        f.optionalLink("outboxHref") { $0.report.outboxMessage.map { "/outbox/\($0)" } }
    }
}

/// A line of the dialogue with a mail server.
struct DialogueLine: ViewRecord {
    let line: TestReport.Line

    static let fields = Fields<DialogueLine> { f in
        f.text("side") { $0.line.side }
        f.text("label") { line in
            switch line.line.side {
            case "client": "Portal"
            case "server": "Server"
            default: "Note"
            }
        }
        f.text("text") { $0.line.text }
    }
}
