import Accounts
import Core
import Postgres
import Web

/// The settings pages of properties.
struct PropertyRoutes: Sendable {
    let services: AppServices
    let uses: PropertyUseFinder

    private var actions: PropertyActions { PropertyActions(services: services, uses: uses) }

    func add(to routes: inout RouteTable) {
        routes.page(.get, "/settings/properties", .viewer, index)
        routes.page(.get, "/settings/properties/new", .editor, new)
        routes.page(.post, "/settings/properties", .editor, create)
        routes.page(.get, "/settings/properties/{id}", .editor, edit)
        routes.page(.post, "/settings/properties/{id}", .editor, update)
        routes.page(.post, "/settings/properties/{id}/move", .editor, move)
        routes.page(.post, "/settings/properties/{id}/speed", .editor, speed)
        routes.page(.get, "/settings/properties/{id}/change", .editor, showChange)
        routes.page(.post, "/settings/properties/{id}/change", .editor, decide)
        routes.page(.get, "/settings/properties/{id}/delete", .editor, confirmDeletion)
        routes.page(.post, "/settings/properties/{id}/delete", .editor, delete)
    }

    private func all(_ scope: WorkspaceScope) async throws -> [PropertyDefinition] {
        try await services.database.read(scope.workspace) { transaction in
            try await PropertyQueries(scope: scope).all(in: transaction)
        }
    }

    private func index(_ request: WebRequest) async throws -> WebResponse {
        .page(PropertiesIndexPage(properties: try await all(try request.scope)))
    }

    // MARK: Forms

    private func form(
        _ request: WebRequest, _ property: PropertyDefinition?, _ object: PropertyObject, _ values: FormValues,
        _ errors: ValidationErrors = ValidationErrors(), hasConflict: Bool = false
    ) async throws -> PropertyFormPage {
        let names = Set(try await all(try request.scope).filter { $0.object == object }.map(\.group))
        return PropertyFormPage(
            property: property, object: object, groups: names.filter { !$0.isEmpty }.sorted(), form: values,
            errors: errors, hasConflict: hasConflict)
    }

    private func new(_ request: WebRequest) async throws -> WebResponse {
        let object = PropertyObject(rawValue: request.query.text("object")) ?? .contact
        return .page(try await form(request, nil, object, FormValues()))
    }

    private func create(_ request: WebRequest) async throws -> WebResponse {
        let values = try await request.form()
        let input = PropertyInput(form: values)
        do {
            let property = try await actions.create(input, try request.scope)
            return .redirect(to: PropertyPaths.index, notice: "The property “\(property.label)” was added.")
        } catch let errors as ValidationErrors {
            return .page(try await form(request, nil, input.object, values, errors), status: .unprocessableContent)
        }
    }

    private func property(_ request: WebRequest) async throws -> PropertyDefinition {
        let scope = try request.scope
        let id: PropertyID = try request.id()
        let property = try await services.database.read(scope.workspace) { transaction in
            try await PropertyQueries(scope: scope).find(id, in: transaction)
        }
        guard let property else { throw WebError.notFound }
        return property
    }

    private func edit(_ request: WebRequest) async throws -> WebResponse {
        let property = try await property(request)
        return .page(try await form(request, property, property.object, FormValues()))
    }

    private func update(_ request: WebRequest) async throws -> WebResponse {
        let property = try await property(request)
        let values = try await request.form()
        do {
            var input = PropertyInput(form: values)
            input.object = property.object
            input.name = property.name
            let outcome = try await actions.update(
                property.id, input, revision: values.optional("revision"), try request.scope)
            if case .changedMeanwhile(let theirs) = outcome {
                let page = try await form(request, theirs, theirs.object, values, hasConflict: true)
                return .page(page, status: .conflict)
            }
            return try answer(outcome, property.id)
        } catch let errors as ValidationErrors {
            let page = try await form(request, property, property.object, values, errors)
            return .page(page, status: .unprocessableContent)
        }
    }

    private func answer(_ outcome: SavingProperty, _ id: PropertyID) throws -> WebResponse {
        switch outcome {
        case .saved(let property):
            return .redirect(to: PropertyPaths.index, notice: "The property “\(property.label)” was saved.")
        case .waiting, .changedMeanwhile: return .redirect(to: "\(PropertyPaths.property(id))/change")
        case .missing: throw WebError.notFound
        }
    }

    private func showChange(_ request: WebRequest) async throws -> WebResponse {
        let property = try await property(request)
        guard let change = property.change else { return .redirect(to: PropertyPaths.property(property.id)) }
        return .page(PropertyChangePage(property: property, change: change))
    }

    private func decide(_ request: WebRequest) async throws -> WebResponse {
        let property = try await property(request)
        let clears: Bool = try await request.form().text("decision") == "clear"
        return try answer(try await actions.decide(property.id, clears: clears, try request.scope), property.id)
    }

    // MARK: Order, speed, deleting

    private func move(_ request: WebRequest) async throws -> WebResponse {
        let id: PropertyID = try request.id()
        let isUp: Bool = try await request.form().text("direction") == "up"
        guard try await actions.move(id, up: isUp, try request.scope) else { throw WebError.notFound }
        return .redirect(to: PropertyPaths.index)
    }

    private func speed(_ request: WebRequest) async throws -> WebResponse {
        let property = try await property(request)
        let isFast: Bool = try await request.form().flag("fast")
        do {
            _ = try await actions.setSpeed(property.id, isFast: isFast, try request.scope)
        } catch let errors as ValidationErrors {
            return .redirect(to: PropertyPaths.property(property.id), alert: errors.entries.first?.message)
        }
        return .redirect(
            to: PropertyPaths.property(property.id),
            notice: isFast
                ? "“\(property.label)” is being made fast." : "“\(property.label)” is an ordinary property again.")
    }

    private func confirmDeletion(_ request: WebRequest) async throws -> WebResponse {
        let property = try await property(request)
        let scope = try request.scope
        let holders: Int = try await actions.holders(of: property, scope)
        let found: [ListUse] = try await services.database.read(scope.workspace) { transaction in
            try await uses(property, scope, transaction)
        }
        return .page(DeletionPage.of(property, holders: holders, found))
    }

    private func delete(_ request: WebRequest) async throws -> WebResponse {
        let property = try await property(request)
        switch try await actions.delete(property.id, try request.scope) {
        case .done: return .redirect(to: PropertyPaths.index, notice: "The property “\(property.label)” was deleted.")
        case .missing: throw WebError.notFound
        case .inUse(let uses):
            let holders: Int = try await actions.holders(of: property, try request.scope)
            return .page(DeletionPage.of(property, holders: holders, uses), status: .conflict)
        }
    }
}
