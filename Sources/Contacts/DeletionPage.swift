import Core
import Templates
import Web

/// The question before something that others may use is deleted: a list, a company, a property. It says first where it is
/// used, and what keeps it from being deleted.
struct DeletionPage: ViewPage {
    /// What kind of thing it is: “list”.
    let noun: String
    let name: String
    /// What becomes of what belongs to it, as a sentence.
    let consequence: String
    let uses: [ListUse]
    /// The page of the thing; the form posts below it.
    let href: String

    static let view = "contacts/delete"
    static let fields = Fields<DeletionPage> { f in
        f.text("title") { page in
            page.isBound ? "“\(page.name)” cannot be deleted now" : "Delete the \(page.noun) “\(page.name)”?"
        }
        f.text("message") { $0.message }
        f.text("noun") { $0.noun }
        f.list("uses", of: ListUse.self) { $0.uses }
        f.flag("isBound") { $0.isBound }
        f.link("action") { $0.path }
        f.text("backLabel") { $0.name }
        f.link("backHref") { $0.href }
    }

    /// The address of this page itself.
    var path: String { "\(href)/delete" }

    private var isBound: Bool { uses.contains(where: \.isBinding) }

    private var message: String {
        if isBound { return ListUse.refusal(noun, uses) }
        return uses.isEmpty ? consequence : "\(consequence) It is used here, and will be missing there:"
    }

    static func of(_ list: ContactList, _ uses: [ListUse]) -> DeletionPage {
        DeletionPage(
            noun: list.kind == .segment ? "segment" : "list", name: list.name,
            consequence: list.memberCount == 0
                ? "It has no members." : "Its members stay in the workspace: \(CountWords.people(list.memberCount)).",
            uses: uses,
            href: list.kind == .segment ? "/segments/\(list.id)" : ContactPaths.list(list.id))
    }

    static func of(_ company: Company, _ uses: [ListUse]) -> DeletionPage {
        let people: String =
            company.contactCount == 0
            ? "Nobody belongs to it."
            : "\(CountWords.people(company.contactCount)) \(company.contactCount == 1 ? "belongs" : "belong") to it. "
                + "They stay, without a company."
        return DeletionPage(
            noun: "company", name: company.name, consequence: people, uses: uses, href: CompanyPaths.company(company.id)
        )
    }

    /// - Parameter holders: how many have a value.
    static func of(_ property: PropertyDefinition, holders: Int, _ uses: [ListUse]) -> DeletionPage {
        DeletionPage(
            noun: "property", name: property.label,
            consequence: holders == 0
                ? "Nobody has a value." : "\(property.object.counted(holders)) will lose their value.",
            uses: uses, href: PropertyPaths.property(property.id))
    }

    static var previews: [DeletionPage] {
        let draft = ListUse(
            name: "Spring", href: "/campaigns/1", status: "Draft", tone: "neutral", isBinding: false)
        let running = ListUse(
            name: "people.csv", href: "/contacts/imports/1", status: "Import", tone: "info", isBinding: true)
        return [
            .of(PreviewPeople.list, []), .of(PreviewPeople.segment, []), .of(PreviewPeople.list, [draft]),
            .of(PreviewPeople.company, [draft]), .of(PreviewProperties.plan, holders: 12_408, [running, draft]),
        ]
    }
}
