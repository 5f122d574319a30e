import Accounts
import Core
import Jobs
import Postgres
import Templates
import Web

/// People: who they are, which lists they are on, what happened to them, and how they come in from files.
package struct ContactsSlice: Slice {
    private let services: AppServices
    private let uploadLimit: Int
    private let listUses: ListUse.Finder
    private let propertyUses: PropertyUseFinder
    private let companyUses: CompanyUseFinder
    private let messages: ContactMoment.Source
    private let activity: ContactMoment.Source
    private let peopleActivity: ContactMoment.PeopleSource
    private let segments: (any SegmentRules)?
    private let personal: [PersonalTable]
    private let views: @Sendable () throws -> ViewLibrary
    private let mentions: PersonMentions.Finder
    private let retention: [RetentionRule]
    private let counts = MatchCountMemory()
    private let newest = NewestTextsMemory()
    /// Making two people one.
    package let merging: ContactMerging

    /// - Parameters:
    ///   - uploadLimit: the largest file that can be imported, in bytes.
    ///   - personal: what all slices say about single people.
    ///   - retention: how long all slices keep things.
    ///   - mentions: where texts of other slices name a person.
    ///   - views: the views of this moment, for files of personal data.
    package init(
        services: AppServices, uploadLimit: Int = 512 << 20,
        listUses: @escaping ListUse.Finder = { _, _, _ in [] },
        propertyUses: @escaping PropertyUseFinder = { _, _, _ in [] },
        companyUses: @escaping CompanyUseFinder = { _, _, _ in [] },
        messages: @escaping ContactMoment.Source = ContactMoment.nothing,
        activity: @escaping ContactMoment.Source = ContactMoment.nothing,
        peopleActivity: @escaping ContactMoment.PeopleSource = ContactMoment.nothing,
        references: [ContactReference] = [], segments: (any SegmentRules)? = nil,
        personal: [PersonalTable] = ContactsSlice.personalTables,
        retention: [RetentionRule] = ContactsSlice.retentionRules,
        mentions: @escaping PersonMentions.Finder = { _, _, _ in [] },
        views: @escaping @Sendable () throws -> ViewLibrary
    ) {
        self.views = views
        self.mentions = mentions
        self.personal = personal
        self.retention = retention
        self.services = services
        self.uploadLimit = uploadLimit
        self.listUses = { list, scope, transaction in
            try await listUses(list, scope, transaction) + ImportUses.ofList(list, scope, in: transaction)
        }
        self.propertyUses = { property, scope, transaction in
            try await propertyUses(property, scope, transaction)
                + ImportUses.ofProperty(property, scope, in: transaction)
        }
        self.companyUses = companyUses
        self.messages = messages
        self.activity = activity
        self.peopleActivity = peopleActivity
        merging = ContactMerging(services: services, others: references)
        self.segments = segments
    }

    package static let pages: [any ViewPage.Type] = [
        ContactsIndexPage.self, ContactShowPage.self, ContactFormPage.self, ContactConfirmPage.self, BulkRunPage.self,
        ImportsIndexPage.self, ImportUploadPage.self, ImportPreviewPage.self, ImportShowPage.self, ListsIndexPage.self,
        ListFormPage.self, ListShowPage.self, DeletionPage.self, ConsentHistoryPage.self, ConsentEvidencePage.self,
        PropertiesIndexPage.self, PropertyFormPage.self, PropertyChangePage.self,
        CompaniesIndexPage.self, CompanyShowPage.self, CompanyFormPage.self,
        DuplicatesPage.self, MergePickPage.self, MergeComparePage.self, MergeShowPage.self,
        PersonPrivacyPage.self, ErasurePreviewPage.self, ErasurePage.self, PrivacySettingsPage.self,
        PurgePreviewPage.self, PersonalDataPage.self,
    ]

    package static let navigation: [NavItem] = [
        NavItem(title: "Contacts", icon: "contacts", href: "/contacts", order: 20),
        NavItem(title: "Companies", icon: "users", href: "/companies", order: 25),
        NavItem(title: "Lists", icon: "list", href: "/lists", order: 30),
    ]

    package static let personalTables: [PersonalTable] = ContactTables.all
    package static let retentionRules: [RetentionRule] = ContactTables.retention

    package func routes(_ table: inout RouteTable) {
        ContactSchemas.add(to: &table)
        ImportRoutes(services: services, uploadLimit: uploadLimit).add(to: &table)
        ContactRoutes(services: services, counts: counts, newest: newest).add(to: &table)
        ContactPageRoutes(services: services, messages: messages, events: activity).add(to: &table)
        ContactDeedsAPI(services: services, messages: messages, events: activity).add(to: &table)
        ListRoutes(services: services, uses: listUses, segments: segments).add(to: &table)
        ConsentRoutes(services: services).add(to: &table)
        PrivacyRoutes(services: services, tables: personal, rules: retention).add(to: &table)
        ImportAPI(services: services, uploadLimit: uploadLimit).add(to: &table)
        ContactAPI(services: services).add(to: &table)
        IdentityAPI(services: services).add(to: &table)
        MergeRoutes(services: services, merging: merging).add(to: &table)
        ListAPI(services: services, uses: listUses, segments: segments).add(to: &table)
        PropertyRoutes(services: services, uses: propertyUses).add(to: &table)
        PropertyAPI(services: services, uses: propertyUses).add(to: &table)
        CompanyRoutes(services: services, uses: companyUses, events: peopleActivity).add(to: &table)
        CompanyAPI(services: services, uses: companyUses).add(to: &table)
    }

    package func jobs(_ registry: inout JobRegistry) {
        let services = services
        PrivacyJobs(services: services, tables: personal, rules: retention, mentions: mentions, views: views)
            .add(to: &registry)
        registry.register(ContactImportJob.self) { job, context in
            guard let workspace = context.workspace else { return }
            let scope = WorkspaceScope(workspace: workspace, actor: job.actor)
            let actions = ImportActions(services: services)
            do {
                try await actions.perform(job.importID, scope)
            } catch  where context.isLastAttempt && !(error is CancellationError) {
                // Nobody will try again: the page must not say "running" for ever.
                try await actions.giveUp(job.importID, scope)
                throw error
            }
        }
        registry.register(ContactImportUndoJob.self) { job, context in
            guard let workspace = context.workspace else { return }
            let scope = WorkspaceScope(workspace: workspace, actor: job.actor)
            try await ImportUndo(services: services, scope: scope, importID: job.importID).run()
        }
        registry.register(ContactIndexJob.self) { job, context in
            guard let workspace = context.workspace else { return }
            try await ImportActions(services: services).index(job.importID, WorkspaceScope(workspace: workspace))
        }
        registry.schedule("contacts.search.flush", every: .seconds(60)) { _ in
            try await ContactSearchIndex.flush(services.database)
        }
        PropertyIndexing.register(in: &registry, services: services)
        registry.register(ContactReindexJob.self) { job, context in try await job.run(services, context) }
        registry.register(FindDuplicatesJob.self) { _, context in
            guard let workspace = context.workspace else { return }
            try await DuplicateFinder(services: services).run(WorkspaceScope(workspace: workspace))
        }
        registry.schedule("contacts.duplicates.nightly", .daily(hour: 3, minute: 20)) { _ in
            try await DuplicateFinder(services: services).runEverywhere()
        }
        registry.register(ContactBulkJob.self) { job, context in
            guard let workspace = context.workspace else { return }
            let scope = WorkspaceScope(workspace: workspace, actor: job.actor)
            try await ContactBulkActions(services: services).run(job.runID, scope)
        }
    }

    /// Asks again for erasures that a restored backup does not know; answers how many. Called before the portal serves.
    package func replayErasures() async throws -> Int {
        try await ErasureReplay(services: services, tables: personal).run()
    }

    /// How many erasures the next start would ask for again.
    package func erasuresMissing() async throws -> Int {
        try await ErasureReplay(services: services, tables: personal).missing().count
    }

    /// For benchmarks: imports a file at once, without a job, and answers how it went.
    /// - Parameter progress: called after each committed chunk with the rows done so far.
    package func importFile(
        at path: String, list: ContactListID? = nil, onExisting: ExistingPeople = .update, _ scope: WorkspaceScope,
        progress: (@Sendable (Int) -> Void)? = nil
    ) async throws -> ContactImport {
        let spoolName: String = services.ids.next(ContactImportID.self).description
        let intake = try UploadIntake(directory: services.spoolDirectory, name: spoolName, limit: .max)
        let source = try SpoolFile.openForReading(path)
        var block: [UInt8] = []
        while try source.read(into: &block) {
            try intake.take(block)
            block.removeAll(keepingCapacity: true)
        }
        let upload = try intake.finish()
        let actions = ImportActions(services: services)
        let id = try await actions.register(upload, fileName: "benchmark.csv", scope)
        let options = ImportOptions(
            columns: ColumnGuess.targets(header: upload.header, samples: upload.samples),
            hasHeader: upload.dialect.hasHeader, onExisting: onExisting, consentBasis: "consent",
            headings: upload.header ?? [])
        let queries = ImportQueries(scope: scope)
        _ = try await services.database.write(scope.workspace) { transaction in
            try await transaction.run(
                "contacts.import.ready",
                """
                UPDATE marketing_contact_imports
                SET status = 'queued', options = \(JSONB(options)), list_id = \(list)
                WHERE workspace_id = \(scope.workspace) AND id = \(id)
                """)
        }
        try await actions.perform(id, scope, progress: progress)
        let file = try await services.database.read(scope.workspace) { transaction in
            try await queries.find(id, in: transaction)
        }
        guard let file else { throw ImportFault.fileGone }
        return file
    }
}
