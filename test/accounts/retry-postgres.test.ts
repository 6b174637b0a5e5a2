import { retrySuite } from '../retry.ts'

retrySuite('postgres')
