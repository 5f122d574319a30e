import Core
import FoundationEssentials
import Postgres

/// What a chunk did to the database.
struct ChunkOutcome: Sendable, Equatable {
    var created: Int = 0
    var existing: Int = 0
    /// Existing people that were really changed.
    var changed: Int = 0
    /// People that were put on the list.
    var listed: Int = 0
    /// Existing people of whom the ledger of consent says nothing yet.
    var silent: Int = 0
}

/// The SQL of imports. One statement per chunk and purpose, whatever the number of rows.
struct ImportStatements: Sendable {
    let scope: WorkspaceScope
    let importID: ContactImportID
    let listID: ContactListID?
    let options: ImportOptions
    let now: Date
    /// What new people get who bring no value; empty for nothing.
    var defaults: [String: JSONValue] = [:]
    /// Whether the workspace has companies that people can be matched to by the domain of their address.
    var matchesCompanies: Bool = false
    /// Whether somebody may be found by an address or a number that they had before a merge.
    var asksFormer: Bool = false
    /// The company of each person of the chunk whose row names one; the nil UUID where it names none.
    var companies: [CompanyID] = []

    /// The chunk as a row set named `n`. Columns that are not mapped are left out of what travels. Unnested where they are
    /// selected, the arrays give row after row; side by side behind `FROM`, each would be copied first (0.7 µs a person).
    private func rows(of chunk: ImportChunk) -> SQL {
        var columns: [SQL] = [
            "unnest(\(chunk.ids)) AS id", "unnest(\(chunk.keys)) AS email_key", "unnest(\(chunk.emails)) AS email",
            "unnest(\(chunk.properties)) AS properties",
        ]
        let hasNames: Bool = options.columns.contains(.fullName)
        if hasNames || options.columns.contains(.firstName) {
            columns.append("unnest(\(chunk.firstNames)) AS first_name")
        }
        if hasNames || options.columns.contains(.lastName) {
            columns.append("unnest(\(chunk.lastNames)) AS last_name")
        }
        if options.columns.contains(.phone) { columns.append("unnest(\(chunk.phones)) AS phone") }
        if options.columns.contains(.tags) { columns.append("unnest(\(chunk.tags)) AS tags") }
        if options.hasCompanies { columns.append("unnest(\(companies)) AS company_id") }
        return "(SELECT \(SQL.join(columns, separator: ", "))) AS n"
    }

    private var firstName: SQL {
        options.columns.contains(.firstName) || options.columns.contains(.fullName) ? "n.first_name" : "NULL::text"
    }

    private var lastName: SQL {
        options.columns.contains(.lastName) || options.columns.contains(.fullName) ? "n.last_name" : "NULL::text"
    }

    private var phone: SQL { options.columns.contains(.phone) ? "n.phone" : "NULL::text" }

    /// The company that the row names, else the one that has the domain of the address: no company has a domain where
    /// anybody can have an address.
    private var company: SQL {
        let named: SQL =
            options.hasCompanies ? "nullif(n.company_id, '00000000-0000-0000-0000-000000000000')" : "NULL::uuid"
        guard matchesCompanies else { return named }
        return """
            coalesce(\(named), (
                SELECT m.id FROM marketing_companies m
                WHERE m.workspace_id = \(scope.workspace) AND m.domain = split_part(n.email_key, '@', 2)
                    AND m.deleted_at IS NULL LIMIT 1))
            """
    }

    private var properties: SQL {
        defaults.isEmpty ? "n.properties" : "\(JSONValue.object(defaults))::jsonb || n.properties"
    }

    /// The import's tags, and those of the row: separated by commas or semicolons, each once, without blanks.
    private var tags: SQL {
        guard options.columns.contains(.tags) else { return "\(options.tags)::text[]" }
        return """
            \(options.tags)::text[] || coalesce((
                SELECT array_agg(DISTINCT left(btrim(t), 60)) FROM regexp_split_to_table(n.tags, '[,;|]') AS t
                WHERE btrim(t) <> '' AND NOT btrim(t) = ANY (\(options.tags)::text[])), '{}')
            """
    }

    private var consent: ImportConsent { ImportConsent(scope: scope, importID: importID, options: options, now: now) }

    private static let insertColumns: SQL = """
        workspace_id, id, email, email_key, phone, first_name, last_name, properties, tags, consent_basis, source,
        import_id, company_id, created_at, updated_at, email_opt_in
        """

    private var insertValues: SQL {
        """
        \(scope.workspace), n.id, coalesce(n.email, n.email_key), n.email_key, \(phone), \(firstName), \(lastName),
        \(properties), \(tags), \(options.consentBasis), 'import', \(importID), \(company), \(now), \(now),
        \(consent.optIn)
        """
    }

    /// Inserts a chunk of which nobody is known yet. Fails with a unique violation when somebody is: then the chunk is
    /// done again by `merge`. Without the look-ups that `ON CONFLICT` needs, this is the fastest way in.
    ///
    /// The people come last: from then until the commit the counts of their companies are locked, and a chunk beside this one
    /// has to wait for them.
    func insert(_ chunk: ImportChunk) -> [Statement] {
        var statements: [Statement] = []
        if let ledger = consent.ofNewPeople(chunk) { statements.append(ledger) }
        if let listID {
            statements.append(
                Statement(
                    "contacts.import.list",
                    """
                    INSERT INTO marketing_list_members (workspace_id, list_id, contact_id, added_at)
                    SELECT \(scope.workspace), \(listID), n.id, \(now) FROM (SELECT unnest(\(chunk.ids)) AS id) n
                    """))
        }
        statements.append(
            Statement(
                "contacts.import.insert",
                "INSERT INTO marketing_contacts (\(Self.insertColumns)) SELECT \(insertValues) FROM \(rows(of: chunk))")
        )
        return statements
    }

    /// Finds who is known, changes them as the options say, inserts the others, puts all on the list, and writes the
    /// chunk's row with the people as they were before.
    ///
    /// One look-up per row through the unique index: a LATERAL with a LIMIT cannot be planned as a scan of the whole
    /// table. Known people are changed by their place in the table (`ctid`); who was changed by somebody else in
    /// between is missed, the counts differ, and the chunk is done again.
    func merge(_ chunk: ImportChunk) -> SQL {
        // Two rows may lead to one person then.
        let distinct: SQL = chunk.hasPeopleWithoutEmail || asksFormer ? "DISTINCT ON (known_id)" : ""
        let changing: SQL =
            options.onExisting == .skip
            ? ""
            : """
            , before AS MATERIALIZED (
                SELECT \(distinct) * FROM wanted w
                WHERE known_id IS NOT NULL
                    AND (o_phone, o_first_name, o_last_name, o_properties, o_tags, o_consent_basis, o_company_id)
                        IS DISTINCT FROM
                        (w_phone, w_first_name, w_last_name, w_properties, w_tags, w_consent_basis, w_company_id)
            ), changed AS (
                UPDATE marketing_contacts c
                SET phone = b.w_phone, first_name = b.w_first_name, last_name = b.w_last_name,
                    properties = b.w_properties, tags = b.w_tags, consent_basis = b.w_consent_basis,
                    company_id = b.w_company_id, updated_at = \(now), version = c.version + 1
                FROM before b
                WHERE c.ctid = b.place AND c.workspace_id = \(scope.workspace) AND c.version = b.o_version
                RETURNING c.id
            )
            """
        return """
            WITH wanted AS MATERIALIZED (
                SELECT n.*, c.*\(wantedValues)
                FROM \(rows(of: chunk)) LEFT JOIN LATERAL (\(lookUp(chunk))) c ON true
            ), made AS (
                INSERT INTO marketing_contacts (\(Self.insertColumns))
                SELECT \(insertValues) FROM wanted n WHERE n.known_id IS NULL
                ON CONFLICT (workspace_id, email_key) WHERE deleted_at IS NULL AND email_key IS NOT NULL DO NOTHING
                RETURNING id, email_key
            )\(changing)\(listing)\(consent.ofMade)
            INSERT INTO marketing_contact_import_chunks (
                \(Self.chunkColumns), created, existing, expected, changed, listed, listed_ids, before_ids, before_versions,
                before_phones, before_first_names, before_last_names, before_properties, before_tags, before_consents,
                before_companies)
            SELECT \(chunkValues(chunk)), (SELECT count(*) FROM made),
                (SELECT count(*) FROM wanted WHERE known_id IS NOT NULL), \(outcome)
            RETURNING created, existing, expected, changed, listed, (SELECT count(*) FROM wanted WHERE o_silent)
            """
    }

    private func lookUp(_ chunk: ImportChunk) -> SQL {
        let known: SQL = """
            c.id AS known_id, c.ctid AS place, c.phone AS o_phone, c.first_name AS o_first_name,
            c.last_name AS o_last_name, c.properties AS o_properties, c.tags AS o_tags,
            c.consent_basis AS o_consent_basis, c.company_id AS o_company_id, c.version AS o_version,
            \(ImportConsent.isSilent) AS o_silent
            """
        let byEmail: SQL = """
            SELECT \(known) FROM marketing_contacts c
            WHERE c.workspace_id = \(scope.workspace) AND c.email_key = n.email_key AND c.email_key IS NOT NULL
                AND c.deleted_at IS NULL
            LIMIT 1
            """
        var ways: [SQL] = [byEmail]
        if asksFormer {
            ways.append(former(known, ImportAliases.owner(kind: "email", value: "n.email_key", scope)))
        }
        if chunk.hasPeopleWithoutEmail {
            ways.append(
                """
                SELECT \(known) FROM marketing_contacts c
                WHERE n.email_key IS NULL AND c.workspace_id = \(scope.workspace) AND c.phone = n.phone
                    AND c.phone IS NOT NULL AND c.deleted_at IS NULL
                ORDER BY c.id LIMIT 1
                """)
            if asksFormer {
                let number: SQL = "CASE WHEN n.email_key IS NULL THEN n.phone END"
                ways.append(former(known, ImportAliases.owner(kind: "phone", value: number, scope)))
            }
        }
        if ways.count == 1 { return byEmail }
        return "(\(SQL.join(ways, separator: ") UNION ALL ("))) LIMIT 1"
    }

    /// Whom an address or a number led to before a merge.
    private func former(_ known: SQL, _ owner: SQL) -> SQL {
        """
        SELECT \(known) FROM (\(owner)) o JOIN marketing_contacts c
            ON c.workspace_id = \(scope.workspace) AND c.id = o.id AND c.deleted_at IS NULL
        LIMIT 1
        """
    }

    /// What known people are to become.
    private var wantedValues: SQL {
        guard options.onExisting != .skip else { return "" }
        let wins: Bool = options.onExisting == .update
        func pick(_ old: SQL, _ cell: SQL) -> SQL {
            wins ? "coalesce(\(cell), \(old))" : "coalesce(\(old), \(cell))"
        }
        let newProperties: SQL = wins ? "c.o_properties || n.properties" : "n.properties || c.o_properties"
        let hasTags: Bool = !options.tags.isEmpty || options.columns.contains(.tags)
        let newTags: SQL =
            !hasTags
            ? "c.o_tags"
            : """
            c.o_tags || coalesce((
                SELECT array_agg(DISTINCT t) FROM unnest(\(tags)) AS t WHERE NOT t = ANY (c.o_tags)), '{}')
            """
        return """
            , \(pick("c.o_phone", phone)) AS w_phone, \(pick("c.o_first_name", firstName)) AS w_first_name,
            \(pick("c.o_last_name", lastName)) AS w_last_name, \(newProperties) AS w_properties, \(newTags) AS w_tags,
            coalesce(c.o_consent_basis, \(options.consentBasis)) AS w_consent_basis, \(newCompany) AS w_company_id
            """
    }

    /// A named company replaces the old one where the file wins; the domain of the address only fills a blank.
    private var newCompany: SQL {
        guard options.hasCompanies, options.onExisting == .update else { return "coalesce(c.o_company_id, \(company))" }
        return """
            coalesce(nullif(n.company_id, '00000000-0000-0000-0000-000000000000'), c.o_company_id, \(company))
            """
    }

    private var listing: SQL {
        guard let listID else { return "" }
        return """
            , listed AS (
                INSERT INTO marketing_list_members (workspace_id, list_id, contact_id, added_at)
                SELECT \(scope.workspace), \(listID), p.id, \(now)
                FROM (
                    SELECT id FROM made UNION ALL SELECT DISTINCT known_id FROM wanted WHERE known_id IS NOT NULL
                ) p
                ON CONFLICT DO NOTHING
                RETURNING contact_id
            )
            """
    }

    /// Counts, and what undoing needs: who was put on the list, and people's values before the change. Arrays in one
    /// row per chunk cost a tenth of a row per person.
    private var outcome: SQL {
        let listed: SQL =
            listID == nil
            ? "0, NULL::uuid[]" : "(SELECT count(*) FROM listed), (SELECT array_agg(contact_id) FROM listed)"
        guard options.onExisting != .skip else {
            return """
                0, 0, \(listed), NULL::uuid[], NULL::int[], NULL::text[], NULL::text[], NULL::text[], NULL::jsonb[],
                NULL::text[], NULL::text[], NULL::uuid[]
                """
        }
        return """
            (SELECT count(*) FROM before), (SELECT count(*) FROM changed), \(listed), b.*
            FROM (
                SELECT array_agg(known_id), array_agg(o_version), array_agg(o_phone), array_agg(o_first_name),
                    array_agg(o_last_name), array_agg(o_properties), array_agg(array_to_string(o_tags, E'\\x1f')),
                    array_agg(o_consent_basis), array_agg(o_company_id)
                FROM before
            ) b
            """
    }

    static let chunkColumns: SQL = """
        workspace_id, import_id, number, end_offset, end_row, row_count, repeated, failed, first_id, last_id
        """

    private func chunkValues(_ chunk: ImportChunk) -> SQL {
        """
        \(scope.workspace), \(importID), \(chunk.number), \(chunk.endOffset), \(chunk.endRow), \(chunk.rowCount),
        \(chunk.repeatCount), \(chunk.failures.count), \(chunk.firstID), \(chunk.lastID)
        """
    }

    /// The chunk's row when everybody in it is new.
    func chunkOfNewPeople(_ chunk: ImportChunk) -> Statement {
        Statement(
            "contacts.import.chunk",
            """
            INSERT INTO marketing_contact_import_chunks (
                \(Self.chunkColumns), created, existing, expected, changed, listed)
            VALUES (\(chunkValues(chunk)), \(chunk.personCount), 0, 0, 0, \(listID == nil ? 0 : chunk.personCount))
            """)
    }

    func failures(_ chunk: ImportChunk) -> Statement {
        Statement(
            "contacts.import.failures",
            """
            INSERT INTO marketing_contact_import_failures (workspace_id, import_id, row_number, reason, line)
            SELECT \(scope.workspace), \(importID), f.* FROM unnest(
                \(chunk.failures.map(\.row)), \(chunk.failures.map(\.reason)), \(chunk.failures.map(\.line))) AS f
            """)
    }

    /// Whom the chunk made, changed or listed. The ids of rows that became no new people name nobody.
    private func noteOfChanges(_ chunk: ImportChunk) -> Statement {
        Statement(
            "contacts.import.audience",
            """
            INSERT INTO marketing_audience_changes (workspace_id, contact_ids, fields, changed_at)
            SELECT \(scope.workspace), \(chunk.ids)::uuid[] || coalesce(k.before_ids, '{}') || coalesce(k.listed_ids, '{}'),
                '{}', \(now)
            FROM marketing_contact_import_chunks k
            WHERE k.workspace_id = \(scope.workspace) AND k.import_id = \(importID) AND k.number = \(chunk.number)
            """)
    }

    /// Settles the counters. Comes last, because their rows are locked until the end of the transaction and other
    /// chunks wait for them.
    func settle(_ chunk: ImportChunk, _ outcome: ChunkOutcome) -> [Statement] {
        let repeatsUpdate: Bool = options.onExisting != .skip
        let updated: Int = options.onExisting == .skip ? 0 : outcome.existing + chunk.repeatCount
        let skipped: Int = repeatsUpdate ? 0 : outcome.existing + chunk.repeatCount
        var statements: [Statement] = [noteOfChanges(chunk)]
        if let listID, outcome.listed > 0 {
            statements.append(
                Statement(
                    "contacts.import.listTotal",
                    """
                    UPDATE marketing_lists SET member_count = member_count + \(outcome.listed)::int, updated_at = \(now)
                    WHERE workspace_id = \(scope.workspace) AND id = \(listID)
                    """))
        }
        statements.append(ContactTotals.adding(outcome.created, scope))
        statements.append(
            Statement(
                "contacts.import.progress",
                """
                UPDATE marketing_contact_imports
                SET row_number = row_number + \(chunk.rowCount), created = created + \(outcome.created),
                    updated = updated + \(updated), unchanged = unchanged + \(max(0, outcome.existing - outcome.changed)),
                    skipped = skipped + \(skipped), failed = failed + \(chunk.failures.count),
                    listed = listed + \(outcome.listed),
                    byte_offset = greatest(byte_offset, \(chunk.endOffset))
                WHERE workspace_id = \(scope.workspace) AND id = \(importID)
                """))
        return statements
    }
}
