import Core
import Postgres

/// Reads everything that the list's page shows: people, their number, and what the filters offer.
struct ContactListReader: Sendable {
    let database: Database
    let counts: MatchCountMemory
    let newest: NewestTextsMemory
    let scope: WorkspaceScope

    struct Listing: Sendable {
        let choices: ContactFilterChoices
        let properties: [PropertyDefinition]
        let page: ContactPage<ContactSummary>
        let count: MatchCount
    }

    /// In one round trip where one query finds the page, which is so for the newest people and for words alone.
    func listing(
        _ wanted: ContactFilter, sort: ContactSort, after: [String]?, limit: Int
    ) async throws -> Listing {
        let filter: ContactFilter = try await indexed(wanted)
        let queries = ContactQueries(scope: scope)
        let answer: Answer
        if let known = try await fromNewest(queries, filter, sort: sort, after: after, limit: limit) {
            answer = known
        } else if let query = queries.single(ContactSummary.self, filter, sort: sort, after: after, limit: limit) {
            answer = try await read(query, filter)
        } else {
            return try await step(by: queries, filter, sort: sort, after: after, limit: limit)
        }
        let rows: [ContactSummary] = answer.rows.prefix(limit).map(\.row)
        let page = ContactPage(
            rows: rows, next: answer.rows.count > limit ? [rows[limit - 1].contactID.description] : nil)
        let isFirst: Bool = after == nil
        let count: MatchCount
        if let known = counting(queries).known(filter, answer.state, page, isFirst: isFirst)
            ?? answer.rows.first?.estimate(of: answer.state.count, isFirst: isFirst)
        {
            count = known
        } else {
            count = try await database.read(scope.workspace) { transaction in
                try await counting(queries).count(filter, answer.state, page, isFirst: isFirst, in: transaction)
            }
        }
        return Listing(choices: answer.choices, properties: answer.properties, page: page, count: count)
    }

    /// What one round trip brings.
    private struct Answer: Sendable {
        let choices: ContactFilterChoices
        let properties: [PropertyDefinition]
        let rows: [Found<ContactSummary>]

        var state: ContactTotals.State { choices.state }
    }

    private func read(_ query: Query<Found<ContactSummary>>, _ filter: ContactFilter) async throws -> Answer {
        let (choices, properties, rows) = try await database.read(scope.workspace, keepsPlans: true) { transaction in
            try await transaction.last(
                ContactFilterChoices.query(scope, company: filter.company), PropertyQueries(scope: scope).all(.contact),
                query)
        }
        let answer = Answer(choices: choices.first ?? ContactFilterChoices(), properties: properties, rows: rows)
        if filter.query != nil { newest.met(answer.state, scope.workspace) }
        return answer
    }

    /// Words alone, by the texts in memory: they say whom to read, or that the index is to be asked at once. Nil when there
    /// are none, or when somebody has changed meanwhile.
    private func fromNewest(
        _ queries: ContactQueries, _ filter: ContactFilter, sort: ContactSort, after: [String]?, limit: Int
    ) async throws -> Answer? {
        let plan = ContactSearchPlan(queries: queries, filter: filter, limit: limit)
        guard sort == .newest, filter.query != nil, plan.isPlain,
            let texts = try await newest.texts(
                scope.workspace,
                load: {
                    try await database.read(scope.workspace) { transaction in
                        try await NewestTexts.load(scope, in: transaction)
                    }
                })
        else { return nil }
        let before: ContactID? = after?.first.flatMap { ContactID($0) }
        guard let walk = plan.walk(texts, before: before) else {
            guard let query: Query<Found<ContactSummary>> = plan.rare(before: before) else { return nil }
            return try await read(query, filter)
        }
        let answer = try await read(plan.page(of: walk), filter)
        let isOfThatMoment: Bool = answer.state.revision == texts.revision && answer.state.unindexed == 0
        return isOfThatMoment && answer.rows.count == walk.people.count ? answer : nil
    }

    /// The filter with the index of a fast property, where it asks for one.
    private func indexed(_ filter: ContactFilter) async throws -> ContactFilter {
        guard let name = filter.property, let value = filter.value else { return filter }
        var filter = filter
        let definitions = try await database.read(scope.workspace) { transaction in
            try await transaction.last(PropertyQueries(scope: scope).all(.contact))
        }
        filter.fast = definitions.first { $0.name == name }.flatMap { FastMatch($0, value) }
        return filter
    }

    private func counting(_ queries: ContactQueries) -> ContactCounting {
        ContactCounting(counts: counts, queries: queries)
    }

    /// Everything else: the page is found by trying, then counted.
    private func step(
        by queries: ContactQueries, _ filter: ContactFilter, sort: ContactSort, after: [String]?, limit: Int
    ) async throws -> Listing {
        try await database.read(scope.workspace) { transaction in
            let (found, properties) = try await transaction.pipeline(
                ContactFilterChoices.query(scope, company: filter.company), PropertyQueries(scope: scope).all(.contact))
            let choices = found.first ?? ContactFilterChoices()
            if filter.query != nil { newest.met(choices.state, scope.workspace) }
            let page: ContactPage<ContactSummary> = try await queries.page(
                ContactSummary.self, filter, sort: sort, after: after, limit: limit, in: transaction)
            let count = try await counting(queries)
                .count(filter, choices.state, page, isFirst: after == nil, in: transaction)
            return Listing(choices: choices, properties: properties, page: page, count: count)
        }
    }
}

/// A person of a page with what finding the page told about how many there are.
struct Found<Row: PostgresRow & Sendable>: PostgresRow {
    /// How many have the words among those looked at, or all that have them when nobody was left out.
    let found: Int?
    /// How many of the newest people were looked at; nil when everybody was.
    let looked: Int?
    let row: Row

    static var columns: SQL { Row.columns }

    init(row reader: inout RowReader) throws {
        found = try reader.next()
        looked = try reader.next()
        row = try Row(row: &reader)
    }

    /// How many people match: all that were found, or for common words an estimate from the newest people, because
    /// counting them would take longer than the page. Nil when there may be so few that counting is worth it.
    func estimate(of total: Int, isFirst: Bool) -> MatchCount? {
        guard let found else { return nil }
        guard let looked else { return isFirst && found < ContactSearchPlan.indexedLimit ? .exactly(found) : nil }
        let estimate: Int = total * found / max(1, looked)
        return found >= 20 && estimate > 2 * MatchCount.limit ? .about(estimate) : nil
    }
}
