/// An event for the request machine.
package enum RequestEvent: Sendable {
    /// A client sent a request. The runner assigns a unique id to each request.
    case requested(RequestID, Request, from: ConnectionID)
    /// The answer to `RequestAction.read`.
    case read(RequestID, RequestReadResult)
    /// The dispatcher's answer to `RequestAction.change`.
    case changed(RequestID, ChangeResult)
    /// The client's connection ended: replies to it are not needed.
    case connectionEnded(ConnectionID)
    case leadershipChanged(LeadershipStatus)
    /// The dispatcher has stopped and answers no changes.
    case stopped
}

/// An action that the runner performs for a request.
package enum RequestAction: Sendable {
    case read(RequestID, RequestRead)
    /// Passes a change to the dispatcher.
    case change(RequestID, ChangeRequest)
    /// Passes a row to the dispatcher that may be newer than its memory. The following change is applied after it.
    case refresh(PlannedJob)
    /// The last action for a request, except for a request that started a watch.
    case reply(RequestID, RequestReply)
    /// Sends executions to the client as they change: those of one job, or all.
    case startWatch(RequestID, JobID?)
    /// Ends the watch that was started by this request.
    case endWatch(RequestID, ClientError)
    /// Ends the watch that the client started with the same message id on the same connection.
    case stopWatch(RequestID)
    /// Ends the watches of all clients.
    case endAllWatches(ClientError)
}
