import Accounts
import Core
import FoundationEssentials
import Postgres

/// What uses a property: segments, forms. The slices above know; `Portal` hands the finder down. Asked before a property is
/// deleted, in the transaction that does it.
package typealias PropertyUseFinder =
    @Sendable (_ property: PropertyDefinition, _ scope: WorkspaceScope, _ transaction: PostgresTransaction) async throws
    -> [ListUse]

/// What became of saving a property.
enum SavingProperty: Sendable {
    case saved(PropertyDefinition)
    /// The new type or options wait for the stored values: being looked through, or some do not fit.
    case waiting(PropertyDefinition)
    /// Somebody else saved meanwhile; this is how it stands now.
    case changedMeanwhile(PropertyDefinition)
    case missing
}

/// Making, changing, ordering and deleting properties.
struct PropertyActions: Sendable {
    let services: AppServices
    var uses: PropertyUseFinder = { _, _, _ in [] }

    private static let nameConstraint: String = "marketing_property_definitions_name"

    private static func taken(_ name: String) -> ValidationErrors {
        ValidationErrors("name", "There is a property called “\(name)” already.")
    }

    private func conversion(_ scope: WorkspaceScope) -> PropertyConversion {
        PropertyConversion(services: services, database: services.database, scope: scope)
    }

    // MARK: Saving

    func create(_ input: PropertyInput, _ scope: WorkspaceScope) async throws -> PropertyDefinition {
        let input: PropertyInput = try input.checked()
        let name: String = input.name ?? input.label
        let now: Date = services.clock.now
        do {
            return try await services.database.write(scope.workspace) { transaction in
                let known: [PropertyDefinition] = try await PropertyQueries(scope: scope)
                    .all(input.object, in: transaction)
                guard known.count < PropertyCatalog.limit else {
                    throw ValidationErrors("label", "There are \(PropertyCatalog.limit) properties already.")
                }
                let last: Int = known.filter { $0.group == input.group }.map(\.position).max() ?? -1
                let definition = PropertyDefinition(
                    id: services.ids.next(), object: input.object, name: name, label: input.label, type: input.type,
                    group: input.group, position: input.position ?? last + 1, isRequired: input.isRequired,
                    defaultValue: input.defaultValue, description: input.description, options: input.options,
                    speed: .normal, createdAt: now, updatedAt: now, version: 1, change: nil)
                try await transaction.run([PropertyCatalog.insert([definition], scope, ifAbsent: false)])
                try await services.audit.record(
                    "added the property", subject: input.label, href: "/settings/properties/\(definition.id)",
                    by: scope,
                    in: transaction)
                if input.isFast == true { return try await speed(definition, isFast: true, scope, in: transaction) }
                return definition
            }
        } catch let error as PostgresError where error.isUniqueViolation(constraint: Self.nameConstraint) {
            throw Self.taken(name)
        }
    }

    /// Changes a property. A new type, or options that are no longer there, come into force when all stored values fit;
    /// the rest at once.
    /// - Parameter clears: take values away that do not fit, without asking.
    func update(
        _ id: PropertyID, _ input: PropertyInput, revision: String?, clears: Bool = false, _ scope: WorkspaceScope
    ) async throws -> SavingProperty {
        let input: PropertyInput = try input.checked()
        let (outcome, isLarge) = try await services.database.write(scope.workspace) { transaction in
            try await save(id, input, revision: revision, clears: clears, scope, in: transaction)
        }
        guard case .waiting(let property) = outcome, !isLarge else { return outcome }
        return try await settle(property, scope)
    }

    private func save(
        _ id: PropertyID, _ input: PropertyInput, revision: String?, clears: Bool, _ scope: WorkspaceScope,
        in transaction: PostgresTransaction
    ) async throws -> (SavingProperty, isLarge: Bool) {
        let queries = PropertyQueries(scope: scope)
        guard let old = try await queries.lock(id, in: transaction) else { return (.missing, false) }
        if let revision, revision != old.revision { return (.changedMeanwhile(old), false) }
        let kept: Set<String> = Set(input.options.map(\.value))
        let losesOptions: Bool = old.options.contains { !kept.contains($0.value) }
        let mustCheck: Bool = input.type != old.type || losesOptions
        let change: PropertyChange? =
            mustCheck
            ? PropertyChange(type: input.type, options: input.options, stage: clears ? .converting : .checking) : nil
        let now: Date = services.clock.now
        try await transaction.run(
            "contacts.properties.update",
            """
            UPDATE marketing_property_definitions
            SET label = \(input.label), group_name = \(input.group), position = \(input.position ?? old.position),
                required = \(input.isRequired), description = \(input.description),
                default_value = nullif(\(mustCheck ? old.defaultValue : input.defaultValue), 'null'),
                options = \(JSONB(mustCheck ? old.options : input.options)), change = \(change.map { JSONB($0) }),
                updated_at = \(now), version = version + 1
            WHERE workspace_id = \(scope.workspace) AND id = \(id)
            """)
        try await services.audit.record(
            "changed the property", subject: input.label, href: "/settings/properties/\(id)", by: scope,
            in: transaction)
        guard var new = try await queries.find(id, in: transaction) else { return (.missing, false) }
        if let isFast = input.isFast, isFast != (new.speed != .normal) {
            new = try await speed(new, isFast: isFast, scope, in: transaction)
        }
        guard mustCheck else { return (.saved(new), false) }
        return (.waiting(new), try await startWhenLarge(new, scope, in: transaction))
    }

    /// Leaves the work to a job where it is much; answers whether it did.
    private func startWhenLarge(
        _ property: PropertyDefinition, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> Bool {
        guard property.object == .contact,
            try await ContactTotals.count(scope, in: transaction) > PropertyConversion.inlineLimit
        else { return false }
        try await services.jobs.enqueue(
            PropertyCheckJob(propertyID: property.id), workspace: scope.workspace, key: "property-check-\(property.id)",
            in: transaction)
        return true
    }

    /// Looks through the values at once, and changes them when all fit.
    private func settle(_ property: PropertyDefinition, _ scope: WorkspaceScope) async throws -> SavingProperty {
        guard let checked = try await conversion(scope).check(property.id) else { return .missing }
        guard checked.change?.stage == .converting else { return .waiting(checked) }
        try await conversion(scope).convert(property.id)
        return try await find(property.id, scope).map(SavingProperty.saved) ?? .missing
    }

    private func find(_ id: PropertyID, _ scope: WorkspaceScope) async throws -> PropertyDefinition? {
        try await services.database.read(scope.workspace) { transaction in
            try await PropertyQueries(scope: scope).find(id, in: transaction)
        }
    }

    /// Decides about a change whose values do not all fit: they go away, or all stays as it was.
    func decide(_ id: PropertyID, clears: Bool, _ scope: WorkspaceScope) async throws -> SavingProperty {
        let (property, isLarge) = try await services.database.write(scope.workspace) {
            transaction -> (PropertyDefinition?, Bool) in
            let queries = PropertyQueries(scope: scope)
            guard let property = try await queries.lock(id, in: transaction) else { return (nil, false) }
            guard var change = property.change, change.stage == .found else { return (property, false) }
            change.stage = .converting
            let kept: PropertyChange? = clears ? change : nil
            try await transaction.run(
                "contacts.properties.decide",
                """
                UPDATE marketing_property_definitions
                SET change = \(kept.map { JSONB($0) }), version = version + 1, updated_at = \(services.clock.now)
                WHERE workspace_id = \(scope.workspace) AND id = \(id)
                """)
            let isLarge: Bool = clears ? try await startWhenLarge(property, scope, in: transaction) : false
            return (try await queries.find(id, in: transaction), isLarge)
        }
        guard let property else { return .missing }
        guard property.change?.stage == .converting, !isLarge else {
            return property.change == nil ? .saved(property) : .waiting(property)
        }
        return try await settle(property, scope)
    }

    // MARK: Order and speed

    /// Moves a property one place up or down within its group. False when there is no such property.
    func move(_ id: PropertyID, up: Bool, _ scope: WorkspaceScope) async throws -> Bool {
        try await services.database.write(scope.workspace) { transaction in
            let queries = PropertyQueries(scope: scope)
            guard let property = try await queries.lock(id, in: transaction) else { return false }
            var group: [PropertyDefinition] = try await queries.all(property.object, in: transaction)
                .filter { $0.group.lowercased() == property.group.lowercased() }
            guard let place = group.firstIndex(where: { $0.id == id }) else { return false }
            let other: Int = up ? place - 1 : place + 1
            guard group.indices.contains(other) else { return true }
            group.swapAt(place, other)
            try await transaction.run(
                "contacts.properties.order",
                """
                UPDATE marketing_property_definitions d SET position = n.position - 1
                FROM unnest(\(group.map(\.id))) WITH ORDINALITY AS n(id, position)
                WHERE d.workspace_id = \(scope.workspace) AND d.id = n.id
                """)
            return true
        }
    }

    /// Makes a property of people fast, or an ordinary one again. False when there is no such property.
    func setSpeed(_ id: PropertyID, isFast: Bool, _ scope: WorkspaceScope) async throws -> Bool {
        try await services.database.write(scope.workspace) { transaction in
            guard let property = try await PropertyQueries(scope: scope).lock(id, in: transaction) else { return false }
            _ = try await speed(property, isFast: isFast, scope, in: transaction)
            return true
        }
    }

    private func speed(
        _ property: PropertyDefinition, isFast: Bool, _ scope: WorkspaceScope, in transaction: PostgresTransaction
    ) async throws -> PropertyDefinition {
        guard property.object == .contact else {
            throw ValidationErrors("fast", "Only properties of contacts can be made fast.")
        }
        guard isFast != (property.speed != .normal) else { return property }
        var property = property
        property.speed = isFast ? .building : .normal
        property.version += 1
        try await transaction.run(
            "contacts.properties.speed",
            """
            UPDATE marketing_property_definitions
            SET speed = \(property.speed), version = \(property.version), updated_at = \(services.clock.now)
            WHERE workspace_id = \(scope.workspace) AND id = \(property.id)
            """)
        try await services.jobs.enqueue(
            PropertyIndexJob(propertyID: property.id, horizon: nil), workspace: scope.workspace,
            key: "property-fast-\(property.id)", in: transaction)
        return property
    }

    // MARK: Deleting

    enum Deletion: Sendable {
        case done(PropertyDefinition)
        case inUse([ListUse])
        case missing
    }

    /// How many people or companies hold a value.
    func holders(of property: PropertyDefinition, _ scope: WorkspaceScope) async throws -> Int {
        try await services.database.read(scope.workspace, timeout: .seconds(30)) { transaction in
            try await transaction.value(
                Int.self, "contacts.properties.count",
                """
                SELECT count(*) FROM \(identifier: property.object.table) r
                WHERE r.workspace_id = \(scope.workspace) AND r.deleted_at IS NULL AND r.properties ? \(property.name)
                """)
        }
    }

    /// Deletes a property; its values go away from everybody, by a job. Refused while something needs it.
    func delete(_ id: PropertyID, _ scope: WorkspaceScope) async throws -> Deletion {
        try await services.database.write(scope.workspace) { transaction in
            guard let property = try await PropertyQueries(scope: scope).lock(id, in: transaction) else {
                return .missing
            }
            let found: [ListUse] = try await uses(property, scope, transaction)
            if found.contains(where: \.isBinding) { return .inUse(found) }
            try await transaction.run(
                "contacts.properties.delete",
                """
                DELETE FROM marketing_property_definitions
                WHERE workspace_id = \(scope.workspace) AND id = \(id)
                """)
            try await services.jobs.enqueue(
                PropertyRemovalJob(propertyID: id, object: property.object.rawValue, name: property.name),
                workspace: scope.workspace, key: "property-remove-\(id)", in: transaction)
            try await services.audit.record("deleted the property", subject: property.label, by: scope, in: transaction)
            return .done(property)
        }
    }
}
