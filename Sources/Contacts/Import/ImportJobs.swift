import Core
import Jobs

/// Runs an import. Taken up again after a crash, it goes on where the last chunk was committed.
struct ContactImportJob: Job {
    static let kind = "contacts.import"
    static let lane: JobLane = .bulk
    static let maxAttempts = 10
    static let timeout: Duration = .seconds(6 * 3600)

    let importID: ContactImportID
    let actor: UserID?
}

struct ContactImportUndoJob: Job {
    static let kind = "contacts.import.undo"
    static let lane: JobLane = .bulk
    static let maxAttempts = 10
    static let timeout: Duration = .seconds(6 * 3600)

    let importID: ContactImportID
    let actor: UserID?
}

/// Makes the people of an import searchable.
struct ContactIndexJob: Job {
    static let kind = "contacts.index"
    static let lane: JobLane = .bulk
    static let maxAttempts = 10
    static let timeout: Duration = .seconds(6 * 3600)

    let importID: ContactImportID
}
