import Core
import FoundationEssentials
import Postgres

/// Changing a workspace's settings.
struct WorkspaceActions: Sendable {
    let services: AppServices

    func save(_ form: WorkspaceSettingsForm, by scope: WorkspaceScope) async throws {
        try form.validate()
        try await services.database.write(scope.workspace) { transaction in
            try await transaction.run(
                "accounts.workspace.save",
                """
                UPDATE marketing_workspaces SET name = \(form.name), time_zone = \(form.timeZone), locale = \(form.locale),
                    postal_address = \(form.postalAddress), brand_name = \(form.brandName),
                    brand_color = \(form.brandColor), brand_logo = \(form.brandLogo), track_opens = \(form.trackOpens),
                    track_clicks = \(form.trackClicks), updated_at = \(services.clock.now)
                WHERE id = \(scope.workspace)
                """)
            try await services.audit.record(
                "changed the workspace settings", subject: form.name, href: "/settings", by: scope, in: transaction)
        }
        services.directory.forget(scope.workspace)
    }
}
