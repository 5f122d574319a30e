import Accounts
import Core
import Postgres
import Web

/// The bar of deeds above a table of people.
enum BulkForm {
    static func order(_ form: FormValues) throws(ValidationErrors) -> BulkOrder {
        let filter = try ContactFilter(form)
        let deed: BulkDeed
        switch form.text("deed") {
        case "addToList": deed = .addToList(try list(form.text("targetList")))
        case "removeFromList":
            // On a list's own page the list is the filter.
            let chosen: String = form.optional("targetList") ?? form.text("list")
            deed = .removeFromList(try list(chosen))
        case "addTag": deed = .addTag(try tag(form))
        case "removeTag": deed = .removeTag(try tag(form))
        case "delete": deed = .delete
        default: throw ValidationErrors("deed", "Choose what to do.")
        }
        if form.flag("all") { return BulkOrder(deed: deed, target: .matching(filter)) }
        let ids: [ContactID] = form.all("ids").compactMap { ContactID($0) }
        if ids.isEmpty { throw ValidationErrors("ids", "Tick the contacts first.") }
        return BulkOrder(deed: deed, target: .selected(ids))
    }

    private static func list(_ text: String) throws(ValidationErrors) -> ContactListID {
        guard let id = ContactListID(text) else { throw ValidationErrors("targetList", "Choose a list.") }
        return id
    }

    private static func tag(_ form: FormValues) throws(ValidationErrors) -> String {
        guard let tag = form.optional("tagName"), tag.count <= 60 else {
            throw ValidationErrors("tagName", "Write the tag, at most 60 characters.")
        }
        return tag
    }

    /// Deleting asks once; so does anything on everybody who matches.
    static func needsConfirmation(_ order: BulkOrder) -> Bool {
        if case .matching = order.target { return true }
        return order.deed == .delete
    }

    static func confirmation(
        _ order: BulkOrder, _ form: FormValues, _ back: String, _ services: AppServices, _ scope: WorkspaceScope
    ) async throws -> ContactConfirmPage {
        let count: Int
        switch order.target {
        case .selected(let ids): count = ids.count
        case .matching(let filter):
            count = try await services.database.read(scope.workspace, timeout: .seconds(30)) { transaction in
                if filter.isEmpty { return try await ContactTotals.count(scope, in: transaction) }
                return try await ContactQueries(scope: scope).exactCount(filter, in: transaction)
            }
        }
        let people: String = CountWords.people(count)
        var hidden: [FormField] = [FormField("confirmed", "1")]
        for name in form.names where name != "_csrf" && name != "confirmed" {
            for value in form.all(name) { hidden.append(FormField(name, value)) }
        }
        let isDeletion: Bool = order.deed == .delete
        return ContactConfirmPage(
            title: "\(verb(order.deed)) \(people)?",
            message: isDeletion
                ? "They leave all lists and get no more e-mails."
                : "This concerns \(people).",
            action: "/contacts/bulk", label: "\(verb(order.deed)) \(people)", backLabel: "Contacts", backHref: back,
            kind: isDeletion ? "danger" : "primary", hidden: hidden)
    }

    private static func verb(_ deed: BulkDeed) -> String {
        switch deed {
        case .addToList: "Put on the list:"
        case .removeFromList: "Take off the list:"
        case .addTag(let tag): "Tag with “\(tag)”:"
        case .removeTag(let tag): "Take the tag “\(tag)” off"
        case .delete: "Delete"
        }
    }

    /// The heading while it is under way.
    static func title(_ deed: BulkDeed) -> String {
        switch deed {
        case .addToList: "Putting contacts on the list"
        case .removeFromList: "Taking contacts off the list"
        case .addTag(let tag): "Tagging contacts “\(tag)”"
        case .removeTag(let tag): "Taking the tag “\(tag)” off contacts"
        case .delete: "Deleting contacts"
        }
    }
}
