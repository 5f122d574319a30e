import Accounts
import Core
import FoundationEssentials
import Postgres
import Web

/// Imports as JSON and CSV.
struct ImportAPI: Sendable {
    let services: AppServices
    let uploadLimit: Int

    private var actions: ImportActions { ImportActions(services: services) }

    func add(to routes: inout RouteTable) {
        let choices: [APIOperation.Parameter] = [
            .init("listId", .id, "Puts everybody on this list."),
            .init(
                "onExisting", .string(oneOf: ExistingPeople.allCases.map(\.rawValue)),
                "What to do with people who are there already: update unless told."),
            .init("tags", .string, "Tags for everybody, separated by commas."),
            .init("consentBasis", .string, "Why you may write to these people."),
            .init("region", .string, "ISO 3166 code of the country that numbers without a country code are from."),
            .init("fileName", .string, "What the import is called on its page."),
        ]
        routes.api(
            .post, "/v1/contacts/import", .editor, body: .upload,
            APIOperation(
                id: "importContacts", tag: "Imports", summary: "Import contacts from CSV or JSON",
                details: "CSV columns are recognised by their headings; unknown ones become properties. "
                    + "The answer comes before the import has run: ask for its status.",
                query: choices, body: ContactSchemas.importInput, otherBodies: ["text/csv"], status: 202,
                response: .object([("id", .id), ("status", .string)], required: ["id", "status"]), problems: [413, 415]),
            receive)
        routes.api(
            .get, "/v1/contacts/imports/{id}", .viewer,
            APIOperation(
                id: "getImport", tag: "Imports", summary: "How far an import is", response: .ref("Import")), show)
    }

    private struct Accepted: Encodable {
        let id: ContactImportID
        let status: ImportStatus
    }

    private func show(_ request: WebRequest) async throws -> WebResponse {
        let scope = try request.scope
        let id: ContactImportID = try request.id()
        let file = try await services.database.read(scope.workspace) { transaction in
            try await ImportQueries(scope: scope).find(id, in: transaction)
        }
        guard let file else { throw WebError.notFound }
        return try .json(ImportResource(file))
    }

    private func receive(_ request: WebRequest) async throws -> WebResponse {
        let type: String = (request.headers[.contentType] ?? "").lowercased()
        let spoolName: String = services.ids.next(ContactImportID.self).description
        let intake = try UploadIntake(directory: services.spoolDirectory, name: spoolName, limit: uploadLimit)
        let choices: Choices
        do {
            if type.hasPrefix("application/json") {
                choices = try await takeJSON(request, intake)
            } else if type.hasPrefix("text/csv") || type.hasPrefix("text/plain") || type.hasPrefix("text/tab-separated")
            {
                choices = try Choices(request.query)
                for try await chunk in request.body { try intake.take(chunk) }
            } else {
                throw WebError.unsupportedMediaType(expected: "text/csv or application/json")
            }
            let upload = try intake.finish()
            let id = try await start(upload, choices, try request.scope)
            return try .json(
                Accepted(id: id, status: .queued), status: .accepted, headers: [.location: "/v1/contacts/imports/\(id)"]
            )
        } catch let refusal as UploadIntake.Refusal {
            let isTooLarge: Bool = refusal.message.hasPrefix("The file is larger")
            if isTooLarge { throw WebError(.contentTooLarge, code: "too_large", detail: refusal.message) }
            throw ValidationErrors("file", refusal.message)
        }
    }

    private func start(_ upload: SpooledUpload, _ choices: Choices, _ scope: WorkspaceScope) async throws
        -> ContactImportID
    {
        var kept: Bool = false
        defer { if !kept { SpoolFile.remove(upload.path) } }
        if let id = choices.list {
            let list = try await services.database.read(scope.workspace) { transaction in
                try await ListQueries(scope: scope).find(id, in: transaction)
            }
            if list == nil { throw ValidationErrors("listId", "There is no such list.") }
            if list?.kind == .segment {
                throw ValidationErrors("listId", "This is a segment: its rule decides who is in it.")
            }
        }
        let columns: [ColumnTarget] = ColumnGuess.targets(header: upload.header, samples: upload.samples)
        var errors = ValidationErrors()
        ImportForm.check(columns, &errors)
        if !errors.isEmpty { throw ValidationErrors("file", errors.entries[0].message) }
        let options = ImportOptions(
            columns: columns, hasHeader: upload.dialect.hasHeader, tags: choices.tags, onExisting: choices.onExisting,
            consentBasis: choices.consentBasis, region: choices.region, headings: upload.header ?? [])
        let id = try await actions.register(upload, fileName: choices.fileName, scope)
        kept = true
        var types: [String: NewProperty] = [:]
        for (column, name) in options.properties {
            let cells: [String] = upload.samples.compactMap { column < $0.count ? $0[column] : nil }
            types[name] = NewProperty(guessedFrom: cells)
        }
        _ = try await actions.start(
            id, options, list: choices.list, fileName: choices.fileName, types: types, scope)
        return id
    }

    /// The options beside the file.
    struct Choices: Sendable {
        var list: ContactListID?
        var onExisting: ExistingPeople = .update
        var tags: [String] = []
        var consentBasis: String?
        var region: String?
        var fileName: String = "API import"

        init(_ values: FormValues) throws(ValidationErrors) {
            try self.init(
                list: values.optional("listId"), onExisting: values.optional("onExisting"),
                tags: ContactInput.tags(in: values.text("tags")), consentBasis: values.optional("consentBasis"),
                region: values.optional("region"))
            if let name = values.optional("fileName") { fileName = name }
        }

        init(
            list text: String?, onExisting: String?, tags: [String], consentBasis: String?, region: String?
        ) throws(ValidationErrors) {
            var errors = ValidationErrors()
            if let text {
                list = ContactListID(text)
                if list == nil { errors.add("listId", "There is no such list.") }
            }
            if let onExisting {
                if let known = ExistingPeople(rawValue: onExisting) {
                    self.onExisting = known
                } else {
                    errors.add("onExisting", "This must be update, fill or skip.")
                }
            }
            if tags.contains(where: { $0.count > 60 }) { errors.add("tags", "A tag has at most 60 characters.") }
            self.tags = tags
            self.consentBasis = consentBasis.map { String($0.prefix(100)) }
            self.region = region
            try errors.throwIfAny()
        }
    }
}

// JSON bodies travel the same road: they are written to the spool as CSV.
extension ImportAPI {
    private struct Body: StrictInput {
        static let memberNames: Set<String> = ["contacts", "listId", "onExisting", "tags", "consentBasis", "region"]
        let contacts: [[String: JSONValue]]
        let listId: String?
        let onExisting: String?
        let tags: [String]?
        let consentBasis: String?
        let region: String?
    }

    private static let jsonLimit: Int = 32 << 20

    private func takeJSON(_ request: WebRequest, _ intake: UploadIntake) async throws -> Choices {
        let body = try await request.json(Body.self, limit: Self.jsonLimit)
        guard !body.contacts.isEmpty else { throw ValidationErrors("contacts", "Give at least one contact.") }
        guard body.contacts.count <= 10_000 else {
            throw ValidationErrors("contacts", "At most 10,000 contacts in JSON; send more as CSV.")
        }
        let choices = try Choices(
            list: body.listId ?? request.query.optional("listId"),
            onExisting: body.onExisting ?? request.query.optional("onExisting"), tags: body.tags ?? [],
            consentBasis: body.consentBasis ?? request.query.optional("consentBasis"),
            region: body.region ?? request.query.optional("region"))
        var errors = ValidationErrors()
        let fixed: [String] = ["email", "phone", "firstName", "lastName", "tags"]
        var names: Set<String> = []
        for (index, contact) in body.contacts.enumerated() {
            for name in contact.keys where !fixed.contains(name) && name != "properties" {
                errors.add("contacts/\(index)/\(name)", "There is no member called “\(name.prefix(60))” here.")
            }
            if case .object(let members)? = contact["properties"] { names.formUnion(members.keys) }
            if errors.entries.count > 100 { break }
        }
        try errors.throwIfAny()
        let properties: [String] = names.sorted()
        guard properties.count + fixed.count < CSVReader.maximumColumns else {
            throw ValidationErrors(
                "contacts", "At most \(CSVReader.maximumColumns - fixed.count - 1) different properties.")
        }
        try writeCSV(body.contacts, fixed, properties, to: intake)
        return choices
    }

    private func writeCSV(
        _ contacts: [[String: JSONValue]], _ fixed: [String], _ properties: [String], to intake: UploadIntake
    ) throws {
        var bytes: [UInt8] = []
        // Spelt so that the headings are recognised as themselves and not as properties of the same name.
        CSVWriter.append(fixed + properties, to: &bytes)
        for contact in contacts {
            var own: [String: JSONValue] = [:]
            if case .object(let members)? = contact["properties"] { own = members }
            let cells: [String] = fixed.map { Self.cell(contact[$0]) } + properties.map { Self.cell(own[$0]) }
            CSVWriter.append(cells, to: &bytes)
            if bytes.count > 256 * 1024 {
                try intake.take(bytes)
                bytes.removeAll(keepingCapacity: true)
            }
        }
        try intake.take(bytes)
    }

    private static func cell(_ value: JSONValue?) -> String {
        PropertyFormat.machine(value)
    }
}
