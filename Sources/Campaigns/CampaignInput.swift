import Core
import FoundationEssentials
import Messaging
import Web

/// What came from a form or as JSON, checked and turned into a campaign's content. One set of rules for both faces.
enum CampaignRules {
    static let nameLimit = 200
    static let subjectLimit = 998 - 60
    static let previewLimit = 400
    static let bodyLimit = 1_000_000
    static let listLimit = 100

    static func check(_ content: CampaignContent, names: CampaignFieldNames) throws(ValidationErrors) {
        var errors = ValidationErrors()
        if content.name.isEmpty { errors.add(names.name, "Give the campaign a name.") }
        if content.name.count > nameLimit { errors.add(names.name, "Use at most \(nameLimit) characters.") }
        if !content.name.isOneLine { errors.add(names.name, "The name must be one line.") }
        if content.subject.count > subjectLimit { errors.add(names.subject, "Use at most \(subjectLimit) characters.") }
        if !content.subject.isOneLine { errors.add(names.subject, "The subject must be one line.") }
        if content.previewText.count > previewLimit {
            errors.add(names.previewText, "Use at most \(previewLimit) characters.")
        }
        if content.html.utf8.count > bodyLimit { errors.add(names.html, "The text is larger than 1 MB.") }
        if content.audience.listIds.count > listLimit || content.audience.excludeListIds.count > listLimit {
            errors.add(names.audience, "Choose at most \(listLimit) lists.")
        }
        if let name = content.fromName, !name.isOneLine || name.count > 200 {
            errors.add(names.fromName, "Use one line of at most 200 characters.")
        }
        check(address: content.fromEmail, field: names.fromEmail, &errors)
        check(address: content.replyTo, field: names.replyTo, &errors)
        try errors.throwIfAny()
    }

    private static func check(address: String?, field: String, _ errors: inout ValidationErrors) {
        guard let address else { return }
        do {
            _ = try EmailAddress(parsing: address)
        } catch {
            errors.add(field, error.message)
        }
    }
}

/// How the two faces call the fields.
struct CampaignFieldNames {
    let name: String
    let audience: String
    let subject: String
    let previewText: String
    let html: String
    let fromName: String
    let fromEmail: String
    let replyTo: String

    static let form = CampaignFieldNames(
        name: "name", audience: "lists", subject: "subject", previewText: "previewText", html: "body",
        fromName: "fromName", fromEmail: "fromEmail", replyTo: "replyTo")
    static let json = CampaignFieldNames(
        name: "name", audience: "audience/listIds", subject: "steps/0/subject", previewText: "steps/0/previewText",
        html: "steps/0/html", fromName: "fromName", fromEmail: "fromEmail", replyTo: "replyTo")
}

extension CampaignContent {
    /// Reads the edit form. Ids that are none are left out: the form offers only real ones.
    init(form: FormValues) {
        self.init()
        name = form.text("name")
        audience = SendAudience(
            listIds: form.all("lists").compactMap { ContactListID($0) },
            excludeListIds: form.all("excludedLists").compactMap { ContactListID($0) })
        subject = form.text("subject")
        previewText = form.text("previewText")
        bodyMode = BodyMode(rawValue: form.text("bodyMode")) ?? .rich
        html = form.raw("body") ?? ""
        fromName = form.optional("fromName")
        fromEmail = form.optional("fromEmail")
        replyTo = form.optional("replyTo")
    }

    static func checked(form: FormValues) throws(ValidationErrors) -> CampaignContent {
        let content = CampaignContent(form: form)
        try CampaignRules.check(content, names: .form)
        return content
    }
}
