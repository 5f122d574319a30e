import Core
import FoundationEssentials
import Postgres

/// Clues of several people with their properties in the form of their types, as a form or an import brings them: made by
/// `IdentityResolver.check`.
package struct CheckedClues: Sendable {
    /// What does not fit, by the place of the person. The fields are `properties/<name>`.
    package let errors: [Int: ValidationErrors]
    let clues: [PersonClues]
    /// The properties of people, with those that are declared on the way; nil where nobody brought one.
    let catalog: PropertyCatalog?

    /// Those at these places, in this order.
    package func selecting(_ places: [Int]) -> CheckedClues {
        var kept: [Int: ValidationErrors] = [:]
        for (place, old) in places.enumerated() { kept[place] = errors[old] }
        return CheckedClues(errors: kept, clues: places.map { clues[$0] }, catalog: catalog)
    }
}

extension IdentityResolver {
    /// Brings the properties of these people into the form of their types. Who brings none costs nothing.
    package func check(
        _ clues: [PersonClues], _ scope: WorkspaceScope, in session: some PostgresSession
    ) async throws -> CheckedClues {
        guard clues.contains(where: { !$0.properties.isEmpty }) else {
            return CheckedClues(errors: [:], clues: clues, catalog: nil)
        }
        var catalog = try await PropertyCatalog.load(
            .contact, scope, ids: services.ids, at: services.clock.now, in: session)
        var checked: [PersonClues] = clues
        var wrong: [Int: ValidationErrors] = [:]
        for (place, one) in clues.enumerated() where !one.properties.isEmpty {
            var errors = ValidationErrors()
            // A blank says nothing about somebody here: what they have stays.
            checked[place].properties = catalog.take(one.properties, &errors).filter { $0.value != .null }
            if !errors.isEmpty { wrong[place] = errors }
        }
        return CheckedClues(errors: wrong, clues: checked, catalog: catalog)
    }
}
