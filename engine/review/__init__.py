"""What is looked at afterwards: the audit and the doctor."""
