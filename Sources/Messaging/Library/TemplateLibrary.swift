import Accounts
import Core
import FoundationEssentials
import Postgres

/// What came of saving a template.
package enum TemplateOutcome: Sendable {
    case saved(LibraryTemplate)
    case missing
    /// Somebody else saved meanwhile; theirs.
    case conflict(LibraryTemplate)
    /// Another template of the kind has the name.
    case nameTaken
}

/// The library of reusable e-mails and text messages. Saving adds a version; what a version says never changes.
package struct TemplateLibrary: Sendable {
    let services: AppServices

    package init(services: AppServices) {
        self.services = services
    }

    private static let nameKey = "marketing_templates_name"

    // MARK: Reading

    private func select(_ scope: WorkspaceScope) -> SQL {
        """
        SELECT \(LibraryTemplate.columns) FROM marketing_templates t JOIN marketing_template_versions v
            ON v.workspace_id = t.workspace_id AND v.template_id = t.id AND v.number = t.version
        WHERE t.workspace_id = \(scope.workspace) AND t.deleted_at IS NULL
        """
    }

    package func find(_ id: LibraryTemplateID, _ scope: WorkspaceScope) async throws -> LibraryTemplate? {
        try await services.database.read(scope.workspace) { try await find(id, scope, in: $0) }
    }

    private func find(
        _ id: LibraryTemplateID, _ scope: WorkspaceScope, in session: some PostgresSession
    ) async throws -> LibraryTemplate? {
        try await session.first(
            LibraryTemplate.self, "messaging.template", "\(select(scope)) AND t.id = \(id)")
    }

    /// The last changed first.
    package func page(
        kind: TemplateKind?, search: String?, after: (Date, LibraryTemplateID)?, limit: Int, _ scope: WorkspaceScope
    ) async throws -> [LibraryTemplate] {
        var conditions: SQL = ""
        if let kind { conditions += " AND t.kind = \(kind.rawValue)" }
        if let search { conditions += " AND strpos(lower(t.name || ' ' || t.description), \(search.lowercased())) > 0" }
        if let after { conditions += " AND (t.updated_at, t.id) < (\(after.0), \(after.1))" }
        return try await services.database.read(scope.workspace) { tx in
            try await tx.all(
                LibraryTemplate.self, "messaging.templates",
                "\(select(scope))\(conditions) ORDER BY t.updated_at DESC, t.id DESC LIMIT \(limit)")
        }
    }

    package func versions(of id: LibraryTemplateID, _ scope: WorkspaceScope) async throws -> [TemplateVersion] {
        try await services.database.read(scope.workspace) { tx in
            try await tx.all(
                TemplateVersion.self, "messaging.template_versions",
                """
                SELECT \(TemplateVersion.columns) FROM marketing_template_versions v
                WHERE v.workspace_id = \(scope.workspace) AND v.template_id = \(id) ORDER BY v.number DESC LIMIT 500
                """)
        }
    }

    /// What a template said at a version; the name is today's.
    package func find(
        _ id: LibraryTemplateID, version: Int, _ scope: WorkspaceScope
    ) async throws -> LibraryTemplate? {
        try await services.database.read(scope.workspace) { tx in
            try await at(version, of: id, scope, in: tx)
        }
    }

    private func at(
        _ version: Int, of id: LibraryTemplateID, _ scope: WorkspaceScope, in session: some PostgresSession
    ) async throws -> LibraryTemplate? {
        try await session.first(
            LibraryTemplate.self, "messaging.template_at",
            """
            SELECT t.id, t.kind, v.number, t.name, t.description, v.subject, v.preview_text, v.body_mode, v.body,
                t.created_at, v.created_at
            FROM marketing_templates t JOIN marketing_template_versions v
                ON v.workspace_id = t.workspace_id AND v.template_id = t.id
            WHERE t.workspace_id = \(scope.workspace) AND t.deleted_at IS NULL AND t.id = \(id) AND v.number = \(version)
            """)
    }

    // MARK: Changing

    /// - Throws: `ValidationErrors` for a content that cannot be kept.
    package func create(
        _ kind: TemplateKind, _ content: TemplateContent, note: String = "", _ scope: WorkspaceScope
    ) async throws -> TemplateOutcome {
        try content.check(kind)
        let id: LibraryTemplateID = services.ids.next()
        let now: Date = services.clock.now
        do {
            return try await services.database.write(scope.workspace) { tx in
                try await tx.run(
                    "messaging.template_create",
                    """
                    INSERT INTO marketing_templates
                        (workspace_id, id, kind, name, description, version, created_by, created_at, updated_at)
                    VALUES (\(scope.workspace), \(id), \(kind.rawValue), \(content.name), \(content.description), 1,
                        \(scope.actor), \(now), \(now))
                    """)
                try await add(1, content, note, to: id, scope, in: tx)
                try await services.audit.record(
                    "created the template", subject: content.name, href: "/templates/\(id)", by: scope, in: tx)
                return try await find(id, scope, in: tx).map(TemplateOutcome.saved) ?? .missing
            }
        } catch let error as PostgresError where error.isUniqueViolation(constraint: Self.nameKey) {
            return .nameTaken
        }
    }

    /// Saves as a new version; nothing happens when nothing changed.
    /// - Parameter version: the version that the editor started from; nil: whatever it is.
    package func save(
        _ id: LibraryTemplateID, _ content: TemplateContent, version: Int?, note: String = "", _ scope: WorkspaceScope
    ) async throws -> TemplateOutcome {
        do {
            return try await services.database.write(scope.workspace) { tx in
                guard let current = try await locked(id, scope, in: tx) else { return .missing }
                try content.check(current.kind)
                if let version, version != current.version { return .conflict(current) }
                guard content != current.content else { return .saved(current) }
                return try await store(content, note: note, onto: current, scope, in: tx)
            }
        } catch let error as PostgresError where error.isUniqueViolation(constraint: Self.nameKey) {
            return .nameTaken
        }
    }

    /// Makes an old version the newest again, as a version of its own.
    package func restore(
        _ number: Int, of id: LibraryTemplateID, _ scope: WorkspaceScope
    ) async throws -> TemplateOutcome {
        try await services.database.write(scope.workspace) { tx in
            guard let current = try await locked(id, scope, in: tx),
                let old = try await at(number, of: id, scope, in: tx)
            else { return .missing }
            return try await store(old.content, note: "Restored from version \(number)", onto: current, scope, in: tx)
        }
    }

    /// - Returns: the template's name; nil when there was none.
    package func delete(_ id: LibraryTemplateID, _ scope: WorkspaceScope) async throws -> String? {
        try await services.database.write(scope.workspace) { tx in
            guard let current = try await locked(id, scope, in: tx) else { return nil }
            try await tx.run(
                "messaging.template_delete",
                """
                UPDATE marketing_templates SET deleted_at = \(services.clock.now)
                WHERE workspace_id = \(scope.workspace) AND id = \(id)
                """)
            try await services.audit.record(
                "deleted the template", subject: current.content.name, href: "/templates", by: scope, in: tx)
            return current.content.name
        }
    }

    private func locked(
        _ id: LibraryTemplateID, _ scope: WorkspaceScope, in tx: PostgresTransaction
    ) async throws -> LibraryTemplate? {
        try await tx.run(
            "messaging.template_lock",
            """
            SELECT FROM marketing_templates
            WHERE workspace_id = \(scope.workspace) AND id = \(id) AND deleted_at IS NULL FOR UPDATE
            """)
        return try await find(id, scope, in: tx)
    }

    private func store(
        _ content: TemplateContent, note: String, onto current: LibraryTemplate, _ scope: WorkspaceScope,
        in tx: PostgresTransaction
    ) async throws -> TemplateOutcome {
        let number: Int = current.version + 1
        try await add(number, content, note, to: current.id, scope, in: tx)
        try await tx.run(
            "messaging.template_save",
            """
            UPDATE marketing_templates
            SET name = \(content.name), description = \(content.description), version = \(number),
                updated_at = \(services.clock.now)
            WHERE workspace_id = \(scope.workspace) AND id = \(current.id)
            """)
        try await services.audit.recordChange(
            "changed the template", subject: content.name, href: "/templates/\(current.id)",
            from: Self.summary(current.content, current.version), to: Self.summary(content, number), by: scope, in: tx)
        return try await find(current.id, scope, in: tx).map(TemplateOutcome.saved) ?? .missing
    }

    private static func summary(_ content: TemplateContent, _ version: Int) -> [String: JSONValue] {
        [
            "version": .int(version), "name": .string(content.name), "description": .string(content.description),
            "subject": .string(content.subject), "previewText": .string(content.previewText),
        ]
    }

    private func add(
        _ number: Int, _ content: TemplateContent, _ note: String, to id: LibraryTemplateID, _ scope: WorkspaceScope,
        in tx: PostgresTransaction
    ) async throws {
        try await tx.run(
            "messaging.template_version",
            """
            INSERT INTO marketing_template_versions (workspace_id, template_id, number, subject, preview_text, body_mode,
                body, note, created_by, created_at)
            VALUES (\(scope.workspace), \(id), \(number), \(content.subject), \(content.previewText), \(content.bodyMode),
                \(content.body), \(String(note.prefix(200))), \(scope.actor), \(services.clock.now))
            """)
    }
}
