"""From a trained model to an alert on one machine: an application beside the contract.

:class:`edge_sdk.demo.broker.EmbeddedBroker` is of use to tests and trials too.
"""
