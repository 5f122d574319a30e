import Core
import FoundationEssentials
import Web

/// A person as the JSON face shows it.
struct ContactResource: Encodable, Sendable {
    let id: ContactID
    let email: String?
    let phone: String?
    let firstName: String?
    let lastName: String?
    let properties: [String: JSONValue]
    let tags: [String]
    let emailStatus: EmailStatus
    let trackingAllowed: Bool
    let consentBasis: String?
    let companyId: CompanyID?
    let source: String?
    let createdAt: Date
    let updatedAt: Date
    let inactiveSince: Date?

    init(_ contact: Contact) {
        id = contact.id
        email = contact.email
        phone = contact.phone
        firstName = contact.firstName
        lastName = contact.lastName
        properties = contact.properties
        tags = contact.tags
        emailStatus = contact.emailStatus
        trackingAllowed = contact.trackingAllowed
        consentBasis = contact.consentBasis
        companyId = contact.companyID
        source = contact.source
        createdAt = contact.createdAt
        updatedAt = contact.updatedAt
        inactiveSince = contact.inactiveSince
    }

    private enum CodingKeys: String, CodingKey {
        case id, email, phone, firstName, lastName, properties, tags, emailStatus, trackingAllowed, consentBasis,
            companyId, source
        case createdAt, updatedAt, inactiveSince
    }

    /// Writes nulls: null says "known to be empty".
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(email, forKey: .email)
        try container.encode(phone, forKey: .phone)
        try container.encode(firstName, forKey: .firstName)
        try container.encode(lastName, forKey: .lastName)
        try container.encode(properties, forKey: .properties)
        try container.encode(tags, forKey: .tags)
        try container.encode(emailStatus, forKey: .emailStatus)
        try container.encode(trackingAllowed, forKey: .trackingAllowed)
        try container.encode(consentBasis, forKey: .consentBasis)
        try container.encode(companyId, forKey: .companyId)
        try container.encode(source, forKey: .source)
        try container.encode(createdAt, forKey: .createdAt)
        try container.encode(updatedAt, forKey: .updatedAt)
        try container.encode(inactiveSince, forKey: .inactiveSince)
    }
}

struct ListResource: Encodable, Sendable {
    let id: ContactListID
    let name: String
    let description: String
    let type: ContactListKind
    /// Of segments.
    let filterRules: JSONValue?
    /// Of segments: `filling`, `live` or `broken`.
    let state: String?
    let problem: String?
    let memberCount: Int
    let createdAt: Date
    let updatedAt: Date

    init(_ list: ContactList, _ segment: SegmentState? = nil) {
        id = list.id
        name = list.name
        description = list.description
        type = list.kind
        filterRules = segment?.rules
        state = segment?.state
        problem = segment?.problem
        memberCount = list.memberCount
        createdAt = list.createdAt
        updatedAt = list.updatedAt
    }
}

struct ImportResource: Encodable, Sendable {
    let id: ContactImportID
    let status: ImportStatus
    let fileName: String
    let listId: ContactListID?
    let total: Int
    let processed: Int
    let created: Int
    let updated: Int
    let unchanged: Int
    let skipped: Int
    let failed: Int
    let error: String?
    let createdAt: Date
    let startedAt: Date?
    let finishedAt: Date?

    init(_ file: ContactImport) {
        id = file.id
        status = file.status
        fileName = file.fileName
        listId = file.listID
        total = file.total
        processed = file.rowNumber
        created = file.created
        updated = file.updated
        unchanged = file.unchanged
        skipped = file.skipped
        failed = file.failed
        error = file.error
        createdAt = file.createdAt
        startedAt = file.startedAt
        finishedAt = file.finishedAt
    }
}

/// The schemas of the API's documentation.
enum ContactSchemas {
    static let statuses: [String] = EmailStatus.allCases.map(\.rawValue)

    private static let inputMembers: [(String, APISchema)] = [
        ("email", .nullable(.email)), ("phone", .nullable(.string(maxLength: 40))),
        ("firstName", .nullable(.string(maxLength: 200))), ("lastName", .nullable(.string(maxLength: 200))),
        ("properties", .map(of: .any)), ("tags", .array(of: .string(maxLength: 60), maxItems: 100)),
        ("emailStatus", .string(oneOf: statuses)), ("trackingAllowed", .boolean),
        ("consentBasis", .nullable(.string(maxLength: 100))), ("companyId", .nullable(.id)),
    ]

    static let input: APISchema = .object(inputMembers)

    static let contact: APISchema = .object(
        [("id", .id)] + inputMembers + [
            ("source", .nullable(.string)), ("createdAt", .dateTime), ("updatedAt", .dateTime),
            ("inactiveSince", .nullable(.dateTime)),
        ],
        required: ["id", "email", "phone", "firstName", "lastName", "properties", "tags", "emailStatus", "createdAt"])

    static let list: APISchema = .object(
        [
            ("id", .id), ("name", .string(maxLength: 100)), ("description", .string(maxLength: 1000)),
            ("type", .string(oneOf: ["static", "segment"])), ("filterRules", .ref("FilterRules")),
            ("state", .string(oneOf: ["filling", "live", "broken"])), ("problem", .string),
            ("memberCount", .integer(minimum: 0)), ("createdAt", .dateTime), ("updatedAt", .dateTime),
        ], required: ["id", "name", "description", "type", "memberCount", "createdAt", "updatedAt"])

    static let listInput: APISchema = .object(
        [
            ("name", .string(maxLength: 100)), ("description", .string(maxLength: 1000)),
            ("type", .string(oneOf: ["static", "segment"])), ("filterRules", .ref("FilterRules")),
        ], required: ["name"])

    static let members: APISchema = .object(
        [("contactIds", .array(of: .id, maxItems: 10_000))], required: ["contactIds"])

    static let importState: APISchema = .object(
        [
            ("id", .id),
            (
                "status",
                .string(oneOf: ["uploaded", "queued", "running", "done", "failed", "cancelled", "undoing", "undone"])
            ),
            ("fileName", .string), ("listId", .nullable(.id)), ("total", .integer(minimum: 0)),
            ("processed", .integer(minimum: 0)), ("created", .integer(minimum: 0)), ("updated", .integer(minimum: 0)),
            ("unchanged", .integer(minimum: 0)), ("skipped", .integer(minimum: 0)), ("failed", .integer(minimum: 0)),
            ("error", .nullable(.string)), ("createdAt", .dateTime), ("startedAt", .nullable(.dateTime)),
            ("finishedAt", .nullable(.dateTime)),
        ], required: ["id", "status", "total", "created", "updated", "skipped", "failed"])

    static let importInput: APISchema = .object(
        [
            ("contacts", .array(of: .ref("ContactInput"), maxItems: 10_000)), ("listId", .id),
            ("onExisting", .string(oneOf: ExistingPeople.allCases.map(\.rawValue))), ("tags", .array(of: .string)),
            ("consentBasis", .string), ("region", .string),
        ], required: ["contacts"])

    static func add(to routes: inout RouteTable) {
        routes.schema("Contact", contact)
        routes.schema("ContactInput", input)
        routes.schema("List", list)
        routes.schema("Import", importState)
    }
}
