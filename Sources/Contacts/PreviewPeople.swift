import Core
import FoundationEssentials

/// People for the previews of pages.
enum PreviewPeople {
    static let day = Date(timeIntervalSince1970: 1_768_469_400)
    static let run = BulkRunID(UUID(uuid: (1, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1)))
    private static let uuid = UUID(uuid: (1, 0, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 2))

    static let ana = ContactSummary(
        id: ContactID(uuid), email: "ana@example.com", phone: "+14155552671", firstName: "Ana", lastName: "Ruiz",
        tags: ["vip", "wine"], createdAt: day)
    static let nameless = ContactSummary(
        id: ContactID(run.uuid), email: nil, firstName: nil, lastName: nil, emailStatus: .bounced, createdAt: day)

    static let contact = Contact(
        id: ContactID(uuid), email: "ana@example.com", phone: "+14155552671", firstName: "Ana", lastName: "Ruiz",
        properties: ["plan": .string("pro"), "orders": .int(3)], tags: ["vip"], emailStatus: .active,
        trackingAllowed: true,
        consentBasis: "consent", source: "import", importID: ContactImportID(uuid), companyID: nil, createdAt: day,
        updatedAt: day,
        deletedAt: nil, version: 1)
    static let company = Company(
        id: CompanyID(uuid), name: "Acme Vineyards", domain: "acme.example", phone: "+14155552671",
        website: "https://acme.example", ownerID: nil, properties: ["tier": .string("gold")], source: "manual",
        contactCount: 3, createdAt: day, updatedAt: day, version: 1)
    static let list = ContactList(
        id: ContactListID(uuid), name: "Newsletter", description: "Everybody who signed up", memberCount: 12_408,
        createdAt: day, updatedAt: day)
    static let segment = ContactList(
        id: ContactListID(uuid), name: "Lapsed", description: "", kind: .segment, memberCount: 1, createdAt: day,
        updatedAt: day)
    static let event = ContactEvent(
        id: Identifier(uuid), kind: .updated, occurredAt: day,
        data: .object(["firstName": .array([.string("Anna"), .string("Ana")])]))
}
