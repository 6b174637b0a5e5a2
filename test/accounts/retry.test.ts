import { retrySuite } from '../retry.ts'

retrySuite('sqlite')
