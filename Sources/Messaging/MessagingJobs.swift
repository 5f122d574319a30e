import Core
import Jobs

/// Writes the audience of a send into the ledger.
struct SnapshotSend: Job {
    static let kind = "messaging.snapshot"
    static let lane: JobLane = .transactional
    let workspace: WorkspaceID
    let send: SendID
}

/// Hands the messages of a send over.
struct DispatchSend: Job {
    static let kind = "messaging.dispatch"
    static let timeout: Duration = .seconds(1800)
    let workspace: WorkspaceID
    let send: SendID
}

/// Marks what was not handed over of a cancelled send.
struct CancelSend: Job {
    static let kind = "messaging.cancel"
    let workspace: WorkspaceID
    let send: SendID
}

/// Tells the floors above that a send came to its end, was paused by the portal, or goes on. Written in the transaction
/// that changes the send; whoever started the send registers what to do.
package struct SendStateChanged: Job {
    package static let kind = "messaging.send_state_changed"
    package static let lane: JobLane = .transactional
    package let workspace: WorkspaceID
    package let send: SendID
    package let state: SendState
    package let notice: String?
}
